#include "cgi-gateway/parse/checksum.h"

#include "tests/unit/unit.h"

/* Of the usual check string, computed by openssl dgst; its crc32 is CBF43926 in
 * every catalogue */
static const struct {
	const char *field, *of;
} right[] = {
	{ "sha1 98O8HYCOBHMq32eZZczDTKeuNEE=", "123456789" },
	{ "sha256 FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=", "123456789" },
	{ "md5 JfnnlDI7RTiF9RgfG2JNCw==", "123456789" },
	{ "crc32 y/Q5Jg==", "123456789" },
	{ "sha1 2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "" },
	{ "crc32 AAAAAA==", "" },
};

static bool matches(const char *field, const char *bytes, size_t piece)
{
	struct span rest = span_of(bytes);
	struct checksum c;
	bool result;

	assert_ok(checksum_begin(&c, span_of(field)));
	while (rest.len > 0) {
		struct span head = rest;

		if (head.len > piece)
			head.len = piece;
		checksum_add(&c, head);
		rest = span_from(rest, head.len);
	}
	result = checksum_matches(&c);
	checksum_release(&c);
	return result;
}

static void bytes_with_the_checksum_match_in_any_chunks(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(right); i++)
		for (size_t piece = 1; piece < 10; piece += 4)
			assert_true(
				matches(right[i].field, right[i].of, piece));
}

static void other_bytes_do_not_match(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(right); i++) {
		assert_false(matches(right[i].field, "123456788", 9));
		assert_false(matches(right[i].field, "1234567890", 4));
		assert_false(matches(right[i].field,
				     right[i].of[0] != '\0' ? "" : "x", 1));
	}
}

static void any_bytes_match_without_a_checksum(void **state)
{
	struct checksum c;

	(void)state;
	assert_ok(checksum_begin(&c, SPAN("")));
	assert_false(c.announced);
	checksum_add(&c, SPAN("whatever"));
	checksum_add(&c, SPAN(""));
	assert_true(checksum_matches(&c));
	checksum_release(&c);
}

static void a_malformed_checksum_is_refused(void **state)
{
	static const struct {
		const char *field;
		enum err e;
	} bad[] = {
		{ "sha1", ERR_FORMAT },
		{ "sha1 ", ERR_FORMAT },
		{ "sha1 98O8HYCOBHMq32eZZczDTKeuNEE", ERR_FORMAT },
		{ "sha1 98O8HYCOBHMq32eZZczDTKeuNEE==", ERR_FORMAT },
		{ "sha1  98O8HYCOBHMq32eZZczDTKeuNEE=", ERR_FORMAT },
		{ "sha512 YQ==", ERR_INVALID },
		{ "SHA1 98O8HYCOBHMq32eZZczDTKeuNEE=", ERR_INVALID },
		{ " sha1 98O8HYCOBHMq32eZZczDTKeuNEE=", ERR_INVALID },
	};
	struct checksum c = { .len = 77 };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_err(checksum_begin(&c, span_of(bad[i].field)), bad[i].e);
	assert_int_equal(c.len, 77);
}

static void a_checksum_of_the_wrong_length_matches_nothing(void **state)
{
	static const char *const wrong[] = {
		"sha1 JfnnlDI7RTiF9RgfG2JNCw==",
		"md5 98O8HYCOBHMq32eZZczDTKeuNEE=",
		"crc32 y/Q5JiY=",
		"crc32 AA==",
		/* longer than the longest checksum */
		"sha256 FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU"
		"FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiUA",
	};
	struct checksum c;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_ok(checksum_begin(&c, span_of(wrong[i])));
		checksum_add(&c, SPAN("123456789"));
		assert_false(checksum_matches(&c));
		checksum_release(&c);
	}
}

static void every_announced_algorithm_is_implemented(void **state)
{
	struct span rest = SPAN(CHECKSUM_ALGORITHMS), name;
	size_t found = 0;

	(void)state;
	while (span_next(&rest, ',', &name)) {
		for (size_t i = 0; i < 4; i++)
			found += span_has_prefix(span_of(right[i].field), name);
	}
	assert_int_equal(found, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes_with_the_checksum_match_in_any_chunks),
		TEST(other_bytes_do_not_match),
		TEST(any_bytes_match_without_a_checksum),
		TEST(a_malformed_checksum_is_refused),
		TEST(a_checksum_of_the_wrong_length_matches_nothing),
		TEST(every_announced_algorithm_is_implemented),
	};

	return RUN(tests);
}
