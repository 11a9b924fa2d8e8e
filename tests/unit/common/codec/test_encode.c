#include "common/codec/encode.h"
#include "tests/unit/unit.h"

/* RFC 4648 10 */
static const struct {
	const char *plain, *base64, *base64url;
} vectors[] = {
	{ "", "", "" },
	{ "f", "Zg==", "Zg" },
	{ "fo", "Zm8=", "Zm8" },
	{ "foo", "Zm9v", "Zm9v" },
	{ "foob", "Zm9vYg==", "Zm9vYg" },
	{ "fooba", "Zm9vYmE=", "Zm9vYmE" },
	{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
	{ "\xfb\xff\xfe", "+//+", "-__-" },
};

static void the_vectors_of_rfc_4648_encode(void **state)
{
	char out[16];

	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct span plain = span_of(vectors[i].plain);

		base64_encode(plain, out, BASE64_SIZE(plain.len));
		assert_string_equal(out, vectors[i].base64);
		base64url_encode(plain, out, BASE64URL_SIZE(plain.len));
		assert_string_equal(out, vectors[i].base64url);
	}
}

static void the_vectors_of_rfc_4648_decode(void **state)
{
	char out[16];
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		assert_ok(base64_decode(span_of(vectors[i].base64), out,
					sizeof(out), &n));
		assert_span_str(((struct span) { out, n }), vectors[i].plain);
		assert_ok(base64url_decode(span_of(vectors[i].base64url), out,
					   sizeof(out), &n));
		assert_span_str(((struct span) { out, n }), vectors[i].plain);
	}
}

static void base64url_that_is_not_canonical_is_refused(void **state)
{
	/* with padding, of the other alphabet, with set bits after the last
	 * byte, of an impossible length, with blanks */
	static const char *const wrong[] = {
		"Zg==",	 "Zm8=",  "+//+", "Zh",	   "Zk",      "Zm9",
		"Zm9vZ", "Z",	  " Zg",  "Zg ",   "Zg\n",    "Zm\n9v",
		"Zm.v",	 "Zm%76", "=",	  "Zm9v=", "\xc3\xa9"
	};
	char out[16];
	size_t n = 77;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_err(base64url_decode(span_of(wrong[i]), out, sizeof(out),
					    &n),
			   ERR_FORMAT);
	assert_err(base64url_decode(SPAN("Zm\0v"), out, sizeof(out), &n),
		   ERR_FORMAT);
	assert_int_equal(n, 77);
}

static void base64url_has_64_letters(void **state)
{
	char text[4] = { 'Z', 'm', '?', 'v' }, out[16];
	int url = 0, plain = 0;
	size_t n;

	(void)state;
	for (int c = 0; c < 256; c++) {
		text[2] = (char)c;
		url += base64url_decode((struct span) { text, 4 }, out,
					sizeof(out), &n) == ERR_OK;
		plain += base64_decode((struct span) { text, 4 }, out,
				       sizeof(out), &n) == ERR_OK;
	}
	assert_int_equal(url, 64);
	assert_int_equal(plain, 64);
}

static void base64_needs_exactly_its_padding(void **state)
{
	static const char *const wrong[] = {
		"Zg",	"Zg=",	 "Zg===", "Zm8",      "Zh==", "Zm9=",
		"-__-", "Zm9v=", "====",  "Zg==Zg==", " Zg=="
	};
	char out[16];
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_err(
			base64_decode(span_of(wrong[i]), out, sizeof(out), &n),
			ERR_FORMAT);
}

static void every_byte_survives_encoding_and_decoding(void **state)
{
	char all[256], text[600], back[256];
	struct span in = { all, sizeof(all) };
	size_t n;

	(void)state;
	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	base64url_encode(in, text, sizeof(text));
	assert_ok(base64url_decode(span_of(text), back, sizeof(back), &n));
	assert_int_equal(n, 256);
	assert_memory_equal(back, all, 256);
	base64_encode(in, text, sizeof(text));
	assert_ok(base64_decode(span_of(text), back, sizeof(back), &n));
	assert_memory_equal(back, all, 256);
	hex_encode(in, text, sizeof(text));
	assert_ok(hex_decode(span_of(text), back, sizeof(back), &n));
	assert_memory_equal(back, all, 256);
}

static void a_result_that_fits_exactly_is_decoded_and_a_longer_one_is_not(
	void **state)
{
	char out[32];
	size_t n;

	(void)state;
	for (size_t len = 1; len < sizeof(out); len++) {
		char plain[32] = { 0 }, text[64];
		struct span in = { plain, len };

		base64url_encode(in, text, sizeof(text));
		assert_ok(base64url_decode(span_of(text), out, len, &n));
		assert_err(base64url_decode(span_of(text), out, len - 1, &n),
			   ERR_TOO_LARGE);
		base64_encode(in, text, sizeof(text));
		assert_ok(base64_decode(span_of(text), out, len, &n));
		assert_err(base64_decode(span_of(text), out, len - 1, &n),
			   ERR_TOO_LARGE);
		hex_encode(in, text, sizeof(text));
		assert_ok(hex_decode(span_of(text), out, len, &n));
		assert_err(hex_decode(span_of(text), out, len - 1, &n),
			   ERR_TOO_LARGE);
	}
}

static void hex_is_written_in_lower_case_and_read_in_both(void **state)
{
	char text[16], out[8];
	size_t n;

	(void)state;
	hex_encode(SPAN("\x00\xab\xff"), text, sizeof(text));
	assert_string_equal(text, "00abff");
	assert_ok(hex_decode(SPAN("00aBFf"), out, sizeof(out), &n));
	assert_span(((struct span) { out, n }), "\x00\xab\xff");
	assert_err(hex_decode(SPAN("00a"), out, sizeof(out), &n), ERR_FORMAT);
	assert_err(hex_decode(SPAN("0g"), out, sizeof(out), &n), ERR_FORMAT);
	assert_err(hex_decode(SPAN("00:1"), out, sizeof(out), &n), ERR_FORMAT);
	assert_err(hex_decode(SPAN(" 00 "), out, sizeof(out), &n), ERR_FORMAT);
}

static void a_percent_sign_and_two_digits_are_a_byte(void **state)
{
	char out[32];
	size_t n;

	(void)state;
	assert_ok(percent_decode(SPAN("a%20b%2Fc%2f%00+"), false, out, &n));
	assert_span(((struct span) { out, n }), "a b/c/\0+");
	assert_ok(percent_decode(SPAN("a+b%2B"), true, out, &n));
	assert_span(((struct span) { out, n }), "a b+");
	/* decoded once, never twice */
	assert_ok(percent_decode(SPAN("%252e"), false, out, &n));
	assert_span(((struct span) { out, n }), "%2e");
}

static void every_byte_is_decoded_from_its_two_digits(void **state)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	char out[3];
	size_t n;

	(void)state;
	for (size_t hi = 0; hi < 256; hi++) {
		for (size_t lo = 0; lo < 256; lo++) {
			char text[3] = { '%', (char)hi, (char)lo };
			const char *h = memchr(digits, (int)hi, 32);
			const char *l = memchr(digits, (int)lo, 32);
			enum err e = percent_decode((struct span) { text, 3 },
						    true, out, &n);

			if (h == NULL || l == NULL) {
				assert_err(e, ERR_FORMAT);
				continue;
			}
			assert_ok(e);
			assert_int_equal(n, 1);
			assert_int_equal((unsigned char)out[0],
					 (h - digits) % 16 * 16 +
						 (l - digits) % 16);
		}
	}
}

static void percent_encoding_leaves_66_bytes_as_they_are(void **state)
{
	size_t same = 0;

	(void)state;
	for (int c = 0; c < 256; c++) {
		char text = (char)c;
		struct buf b;

		buf_init(&b, 3);
		percent_encode((struct span) { &text, 1 }, &b);
		same += b.len == 1 && b.p[0] == text;
		assert_true(b.len == 1 || b.len == 3);
		buf_release(&b);
	}
	assert_int_equal(same, 66); /* RFC 3986 2.3 */
}

static void a_stray_percent_sign_is_refused(void **state)
{
	static const char *const wrong[] = { "%",    "a%",  "%4",  "%4g", "%g4",
					     "%%41", "% 1", "%-1", "%+1" };
	char out[16];
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_err(percent_decode(span_of(wrong[i]), false, out, &n),
			   ERR_FORMAT);
}

static void percent_decoding_works_in_place(void **state)
{
	char text[] = "%41%42c";
	size_t n;

	(void)state;
	assert_ok(percent_decode(span_of(text), false, text, &n));
	assert_span(((struct span) { text, n }), "ABc");
}

static void all_but_unreserved_bytes_are_percent_encoded(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	percent_encode(SPAN("aZ09-._~ /%\r\n\0\xc3\xa9\"'"), &b);
	assert_ok(buf_error(&b));
	assert_span(buf_span(&b), "aZ09-._~%20%2F%25%0D%0A%00%C3%A9%22%27");
	buf_release(&b);
}

static void well_formed_utf8_is_valid_at_the_edge_of_each_length(void **state)
{
	static const char *const right[] = {
		"",
		"\x7f",
		"\xc2\x80",
		"\xdf\xbf",
		"\xe0\xa0\x80",
		"\xed\x9f\xbf",
		"\xee\x80\x80",
		"\xef\xbf\xbf",
		"\xf0\x90\x80\x80",
		"\xf4\x8f\xbf\xbf",
		"a\xc3\xa9z",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(right); i++)
		assert_true(utf8_valid(span_of(right[i])));
	assert_true(utf8_valid(SPAN("\0")));
}

static void overlong_surrogate_cut_and_stray_bytes_are_invalid_utf8(
	void **state)
{
	static const char *const wrong[] = {
		"\x80",
		"\xbf",
		"\xc0\x80",
		"\xc1\xbf",
		"\xc2",
		"\xc2"
		"a",
		"\xe0\x9f\xbf",
		"\xe2\x82",
		"\xed\xa0\x80",
		"\xed\xbf\xbf",
		"\xf0\x8f\xbf\xbf",
		"\xf0\x9f\x98",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xf8\x88\x80\x80\x80",
		"\xff",
		"\xfe",
		"\xc3\xa9\xa9",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_false(utf8_valid(span_of(wrong[i])));
}

static void utf8_is_counted_in_characters(void **state)
{
	(void)state;
	assert_int_equal(utf8_count(SPAN("")), 0);
	assert_int_equal(utf8_count(SPAN("abc")), 3);
	assert_int_equal(utf8_count(SPAN("\xc3\xbc\xe2\x82\xac"
					 "\xf0\x9f\x98\x80")),
			 3);
}

static void utf8_is_clipped_after_a_whole_character(void **state)
{
	const struct span s = SPAN("a\xe2\x82\xac"
				   "b");
	static const size_t lengths[] = { 0, 1, 1, 1, 4, 5, 5 };

	(void)state;
	for (size_t max = 0; max < COUNT(lengths); max++)
		assert_int_equal(utf8_clip(s, max).len, lengths[max]);
}

static void whole_characters_are_counted_up_to_the_first_other_byte(
	void **state)
{
	static const char text[] = "a\xc3\xa4\xe6\x97\xa5\xf0\x9f\x98\x80";
	/* bytes of whole characters in the first n bytes */
	static const size_t whole[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10 };

	(void)state;
	for (size_t n = 0; n < COUNT(whole); n++)
		assert_int_equal(utf8_length((struct span) { text, n }),
				 whole[n]);
	assert_int_equal(utf8_length(SPAN("ab\xff"
					  "cd")),
			 2);
	assert_int_equal(utf8_length(SPAN("ab\xc0\xaf")), 2);
	assert_int_equal(utf8_length((struct span) { NULL, 0 }), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_vectors_of_rfc_4648_encode),
		TEST(the_vectors_of_rfc_4648_decode),
		TEST(base64url_that_is_not_canonical_is_refused),
		TEST(base64url_has_64_letters),
		TEST(base64_needs_exactly_its_padding),
		TEST(every_byte_survives_encoding_and_decoding),
		TEST(a_result_that_fits_exactly_is_decoded_and_a_longer_one_is_not),
		TEST(hex_is_written_in_lower_case_and_read_in_both),
		TEST(a_percent_sign_and_two_digits_are_a_byte),
		TEST(every_byte_is_decoded_from_its_two_digits),
		TEST(percent_encoding_leaves_66_bytes_as_they_are),
		TEST(a_stray_percent_sign_is_refused),
		TEST(percent_decoding_works_in_place),
		TEST(all_but_unreserved_bytes_are_percent_encoded),
		TEST(well_formed_utf8_is_valid_at_the_edge_of_each_length),
		TEST(overlong_surrogate_cut_and_stray_bytes_are_invalid_utf8),
		TEST(utf8_is_counted_in_characters),
		TEST(utf8_is_clipped_after_a_whole_character),
		TEST(whole_characters_are_counted_up_to_the_first_other_byte),
	};

	return RUN(tests);
}
