#include "cgi-gateway/parse/tus_header.h"

#include "tests/unit/unit.h"

/* --- Upload-Metadata ------------------------------------------------------ */

static void metadata_is_a_list_of_keys_with_values_in_base64(void **state)
{
	static const char *const good[] = {
		"",
		"filename d29ybGRfZG9taW5hdGlvbl9wbGFuLnBkZg==",
		"filename d29ybGRfZG9taW5hdGlvbl9wbGFuLnBkZg==,"
		"is_confidential",
		"a,b,c",
		"a ,b ",     /* an empty value may have its space */
		"a , b",     /* as lists of HTTP may have spaces */
		"!\"~ AA==", /* any visible character but the comma */
	};
	static const char *const bad[] = {
		",",
		",a",
		"a,,b",
		"a b c",
		"a  YQ==",
		"a YQ", /* no padding */
		"a YQ===",
		"a Y Q==",
		"a YR==", /* bits after the last byte */
		"a _-__", /* base64url */
		"a\tYQ==",
		/* sent back later, and a response holds no control character */
		"a YQ==,\tb",
		"a YQ==\t",
		"\xc3\xbc YQ==",
		"a\x7f YQ==",
		"a YQ==;b YQ==",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_ok(tus_metadata_check(span_of(good[i])));
	for (size_t i = 0; i < COUNT(bad); i++) {
		enum err e = tus_metadata_check(span_of(bad[i]));

		if (e != ERR_FORMAT)
			print_error("\"%s\"\n", bad[i]);
		assert_err(e, ERR_FORMAT);
	}
}

static void a_key_that_occurs_twice_is_refused(void **state)
{
	(void)state;
	assert_err(tus_metadata_check(SPAN("a YQ==,b,a")), ERR_FORMAT);
	assert_err(tus_metadata_check(SPAN("a,a")), ERR_FORMAT);
	assert_ok(tus_metadata_check(SPAN("a,A,aa")));
}

static void metadata_has_limits(void **state)
{
	char field[TUS_METADATA_MAX + 2] = "", *p = field;

	(void)state;
	for (unsigned i = 0; i < TUS_METADATA_KEYS; i++)
		p += snprintf(p, 8, "%sk%u", i > 0 ? "," : "", i);
	assert_ok(tus_metadata_check(span_of(field)));
	(void)snprintf(p, 8, ",more");
	assert_err(tus_metadata_check(span_of(field)), ERR_TOO_LARGE);

	memset(field, 'A', sizeof(field));
	memcpy(field, "key ", 4);
	assert_int_equal((TUS_METADATA_MAX - 4) % 4, 0);
	assert_ok(
		tus_metadata_check((struct span) { field, TUS_METADATA_MAX }));
	assert_err(tus_metadata_check(
			   (struct span) { field, TUS_METADATA_MAX + 1 }),
		   ERR_TOO_LARGE);
}

static void a_value_is_found_by_its_key(void **state)
{
	const struct span field = SPAN("file YQ==,filename YmM=,empty,e2 ,"
				       "nul YQBi");
	char out[8];
	size_t len = 9;

	(void)state;
	assert_ok(tus_metadata_check(field));
	assert_ok(tus_metadata_get(field, "filename", out, sizeof(out), &len));
	assert_span(((struct span) { out, len }), "bc");
	assert_ok(tus_metadata_get(field, "file", out, sizeof(out), &len));
	assert_span(((struct span) { out, len }), "a");
	assert_ok(tus_metadata_get(field, "empty", out, sizeof(out), &len));
	assert_int_equal(len, 0);
	assert_ok(tus_metadata_get(field, "e2", out, sizeof(out), &len));
	assert_int_equal(len, 0);
	assert_ok(tus_metadata_get(field, "nul", out, sizeof(out), &len));
	assert_span(((struct span) { out, len }), "a\0b");
	assert_err(tus_metadata_get(field, "Filename", out, sizeof(out), &len),
		   ERR_NOT_FOUND);
	assert_err(tus_metadata_get(field, "", out, sizeof(out), &len),
		   ERR_NOT_FOUND);
	assert_err(tus_metadata_get(SPAN(""), "a", out, sizeof(out), &len),
		   ERR_NOT_FOUND);
	assert_err(tus_metadata_get(field, "nul", out, 2, &len), ERR_TOO_LARGE);
}

/* --- Upload-Concat -------------------------------------------------------- */

static void concat_names_the_kind_of_upload(void **state)
{
	enum tus_concat kind = TUS_FINAL;
	struct span parts = SPAN("untouched");

	(void)state;
	assert_ok(tus_concat_parse(SPAN(""), &kind, &parts));
	assert_int_equal(kind, TUS_WHOLE);
	assert_ok(tus_concat_parse(SPAN(" "), &kind, &parts));
	assert_int_equal(kind, TUS_WHOLE);
	assert_ok(tus_concat_parse(SPAN("partial"), &kind, &parts));
	assert_int_equal(kind, TUS_PARTIAL);
	assert_span(parts, "untouched");
	assert_ok(tus_concat_parse(SPAN("final;/tus/a /tus/b"), &kind, &parts));
	assert_int_equal(kind, TUS_FINAL);
	assert_span(parts, "/tus/a /tus/b");
	assert_ok(tus_concat_parse(SPAN("final; /tus/a "), &kind, &parts));
	assert_span(parts, "/tus/a");
}

static void a_malformed_concat_is_refused(void **state)
{
	static const char *const bad[] = {
		"final",
		"final;",
		"final; \t",
		"Partial",
		"partial;",
		"partial;/tus/a",
		"final /a",
		"whole",
		";",
		"final ;/a",
		"partial final",
		/* stored and sent back as ASCII */
		"final;/tus/\xc3\xbc",
		"final;/tus/a\x7f",
		"final;/tus/a\x01",
		"partial\t",
		"\tpartial",
	};
	char field[TUS_CONCAT_MAX + 2];
	enum tus_concat kind = TUS_WHOLE;
	struct span parts = SPAN("untouched");

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_err(tus_concat_parse(span_of(bad[i]), &kind, &parts),
			   ERR_FORMAT);
	memset(field, 'a', sizeof(field));
	memcpy(field, "final;", 6);
	assert_err(tus_concat_parse((struct span) { field, TUS_CONCAT_MAX + 1 },
				    &kind, &parts),
		   ERR_TOO_LARGE);
	assert_span(parts, "untouched");
	assert_int_equal(kind, TUS_WHOLE);
	assert_ok(tus_concat_parse((struct span) { field, TUS_CONCAT_MAX },
				   &kind, &parts));
}

static void a_part_is_the_last_segment_of_its_url(void **state)
{
	struct span parts = SPAN("/tus/a https://x.example/cgi-bin/tus/b  c "
				 "/tus/d?owner=7 /tus/ /e/?f=/g");
	static const char *const want[] = { "a", "b", "c", "d", "", "" };
	struct span id;

	(void)state;
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_true(tus_concat_next(&parts, &id));
		assert_span_str(id, want[i]);
	}
	assert_false(tus_concat_next(&parts, &id));
	assert_false(tus_concat_next(&parts, &id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(metadata_is_a_list_of_keys_with_values_in_base64),
		TEST(a_key_that_occurs_twice_is_refused),
		TEST(metadata_has_limits),
		TEST(a_value_is_found_by_its_key),
		TEST(concat_names_the_kind_of_upload),
		TEST(a_malformed_concat_is_refused),
		TEST(a_part_is_the_last_segment_of_its_url),
	};

	return RUN(tests);
}
