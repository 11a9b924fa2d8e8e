#include "common/codec/field.h"
#include "tests/unit/unit.h"

static void a_token_has_tchars_only(void **state)
{
	int n = 0;

	(void)state;
	for (int c = 0; c < 256; c++) {
		char text = (char)c;

		n += field_is_token((struct span) { &text, 1 });
	}
	assert_int_equal(n, 26 + 26 + 10 + 15);
	assert_true(field_is_token(SPAN("form-data")));
	assert_false(field_is_token(SPAN("")));
	assert_false(field_is_token(SPAN("a b")));
	assert_false(field_is_token(SPAN("a\0")));
}

static void parameters_are_read_one_by_one(void **state)
{
	struct span rest = SPAN(
			    " ; name=\"a; b\\\"c\" ;; x=1 ; filename=;y=\"\""),
		    name, value;

	(void)state;
	assert_ok(field_next_param(&rest, &name, &value));
	assert_span(name, "name");
	assert_span(value, "a; b\\\"c");
	assert_ok(field_next_param(&rest, &name, &value));
	assert_span(name, "x");
	assert_span(value, "1");
	assert_ok(field_next_param(&rest, &name, &value));
	assert_span(name, "filename");
	assert_span(value, "");
	assert_ok(field_next_param(&rest, &name, &value));
	assert_span(name, "y");
	assert_span(value, "");
	assert_err(field_next_param(&rest, &name, &value), ERR_NOT_FOUND);
}

static void a_parameter_of_another_form_is_refused(void **state)
{
	static const char *const wrong[] = {
		"name",	       "name=\"x",	"name=\"x\\\"",	  "name=\"x\"y",
		"=x",	       "na me=x",	"name =x",	  "\"name\"=x",
		"n\xc3\xa9=x", "; ; name; x=1", "name=\"x\" y=1",
	};
	struct span name = SPAN("old"), value = SPAN("old");

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct span rest = span_of(wrong[i]);

		assert_err(field_next_param(&rest, &name, &value), ERR_FORMAT);
	}
	assert_span(name, "old");
}

static void an_empty_rest_has_no_parameter(void **state)
{
	static const char *const ends[] = { "", " ", ";", " ; ;; ", "\t" };
	struct span name, value;

	(void)state;
	for (size_t i = 0; i < COUNT(ends); i++) {
		struct span rest = span_of(ends[i]);

		assert_err(field_next_param(&rest, &name, &value),
			   ERR_NOT_FOUND);
	}
}

static void only_quotes_and_backslashes_lose_their_backslash(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "a\\\"b", "a\"b" },
		{ "a\\\\b", "a\\b" },
		{ "C:\\dir\\f", "C:\\dir\\f" },
		{ "\\", "\\" },
		{ "\\\\\\\"", "\\\"" },
		{ "", "" },
		{ "a\\", "a\\" },
	};
	char out[32];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t n = field_unquote(span_of(cases[i].in), out);

		assert_span_str(((struct span) { out, n }), cases[i].out);
	}
}

static void a_parameter_is_found_by_its_name_in_either_case(void **state)
{
	struct span type =
		SPAN("multipart/form-data; charset=x; Boundary=\"a b\"");
	struct span out = SPAN("old");

	(void)state;
	assert_ok(field_param(type, SPAN("boundary"), &out));
	assert_span(out, "a b");
	assert_err(field_param(type, SPAN("bound"), &out), ERR_NOT_FOUND);
	assert_err(field_param(SPAN("multipart/form-data"), SPAN("boundary"),
			       &out),
		   ERR_NOT_FOUND);
	assert_err(field_param(SPAN(""), SPAN("boundary"), &out),
		   ERR_NOT_FOUND);
	assert_err(field_param(SPAN("a; b"), SPAN("boundary"), &out),
		   ERR_FORMAT);
	assert_span(out, "a b");
	/* the first of two */
	assert_ok(field_param(SPAN("a; x=1; x=2"), SPAN("x"), &out));
	assert_span(out, "1");
}

static bool text_before_json(const char *accept)
{
	return field_accept_prefers(span_of(accept), SPAN("text/plain"),
				    SPAN("application/json"));
}

static void a_type_with_the_higher_weight_is_preferred(void **state)
{
	(void)state;
	assert_true(text_before_json("text/plain"));
	assert_true(text_before_json("TEXT/Plain"));
	assert_true(text_before_json("text/*"));
	assert_true(text_before_json("text/plain, application/json;q=0.9"));
	assert_true(
		text_before_json("application/json;q=0.899,text/plain;q=0.9"));
	assert_true(text_before_json("application/*;q=0.1, text/plain;q=0.2"));
	assert_true(text_before_json("*/*;q=0.1, text/plain"));
	assert_true(text_before_json("text/plain;q=0.01, */*;q=0.009"));
	assert_true(text_before_json("text/plain; charset=utf-8"));
	assert_true(text_before_json("application/json;q=0, */*"));
}

static void a_type_with_an_equal_or_lower_weight_is_not_preferred(void **state)
{
	(void)state;
	assert_false(text_before_json(""));
	assert_false(text_before_json("*/*"));
	assert_false(text_before_json("text/plain, application/json"));
	assert_false(text_before_json("text/plain;q=0.5, application/json"));
	assert_false(text_before_json("text/plain;q=0"));
	assert_false(text_before_json("text/plain;q=0.000"));
	assert_false(text_before_json("text/html"));
	assert_false(text_before_json("text/plainer"));
	assert_false(text_before_json("text"));
	assert_false(text_before_json("application/json, text/plain;q=1.000"));
	assert_false(text_before_json(",,;,;;q"));
}

static void the_more_specific_range_decides(void **state)
{
	(void)state;
	assert_false(text_before_json("text/*, text/plain;q=0.1, */*;q=0.5"));
	assert_true(
		text_before_json("text/plain;q=0.6, text/*;q=0, */*;q=0.5"));
}

static void a_malformed_weight_is_zero(void **state)
{
	(void)state;
	assert_false(text_before_json("text/plain;q=x, */*;q=0.001"));
	assert_false(text_before_json("text/plain;q=2, */*;q=0.001"));
	assert_false(text_before_json("text/plain;q=-1, */*;q=0.001"));
	assert_false(text_before_json("text/plain;q=0.x, */*;q=0.001"));
	assert_false(text_before_json("text/plain;q=5.5, */*;q=0.001"));
	assert_false(text_before_json("text/plain;q=, */*;q=0.001"));
}

static void entity_tags_match_weakly_and_as_a_whole(void **state)
{
	struct span etag = SPAN("\"abc\"");

	(void)state;
	assert_true(field_etag_matches(SPAN("\"abc\""), etag, ETAG_WEAK));
	assert_true(field_etag_matches(SPAN("W/\"abc\""), etag, ETAG_WEAK));
	assert_true(
		field_etag_matches(SPAN("\"x\" , W/\"abc\""), etag, ETAG_WEAK));
	assert_true(field_etag_matches(SPAN(" * "), etag, ETAG_WEAK));
	assert_false(field_etag_matches(SPAN(""), etag, ETAG_WEAK));
	assert_false(field_etag_matches(SPAN("abc"), etag, ETAG_WEAK));
	assert_false(field_etag_matches(SPAN("\"ABC\""), etag, ETAG_WEAK));
	assert_false(field_etag_matches(SPAN("\"abcd\""), etag, ETAG_WEAK));
	assert_false(field_etag_matches(SPAN("w/\"abc\""), etag, ETAG_WEAK));
	assert_false(field_etag_matches(SPAN("\"x\", *"), etag, ETAG_WEAK));
}

static void a_strong_comparison_takes_no_weak_tag(void **state)
{
	struct span etag = SPAN("\"abc\"");

	(void)state;
	assert_true(field_etag_matches(SPAN("\"abc\""), etag, ETAG_STRONG));
	assert_true(field_etag_matches(SPAN("W/\"abc\", \"abc\""), etag,
				       ETAG_STRONG));
	assert_true(field_etag_matches(SPAN("*"), etag, ETAG_STRONG));
	assert_false(field_etag_matches(SPAN("W/\"abc\""), etag, ETAG_STRONG));
}

static void a_tag_may_contain_commas_and_blanks(void **state)
{
	struct span etag = SPAN("\"a, \"");

	(void)state;
	assert_true(field_etag_matches(SPAN("\"a, \""), etag, ETAG_STRONG));
	assert_true(field_etag_matches(SPAN("\"b,\",,\t,\"a, \",\"c\""), etag,
				       ETAG_STRONG));
	/* the text between two tags is not a tag */
	assert_false(field_etag_matches(SPAN("\"x\", \"y\""), SPAN("\", \""),
					ETAG_WEAK));
}

static void a_list_ends_at_what_is_not_an_entity_tag(void **state)
{
	struct span rest = SPAN("\"a\", W/\"b\" , c, \"d\""), tag;
	bool weak;

	(void)state;
	assert_true(field_next_etag(&rest, &tag, &weak));
	assert_span(tag, "\"a\"");
	assert_false(weak);
	assert_true(field_next_etag(&rest, &tag, &weak));
	assert_span(tag, "\"b\"");
	assert_true(weak);
	assert_false(field_next_etag(&rest, &tag, &weak));
	rest = SPAN("\"a\" \"b\"");
	assert_false(field_next_etag(&rest, &tag, &weak));
	rest = SPAN("\"a");
	assert_false(field_next_etag(&rest, &tag, &weak));
	rest = SPAN("W/");
	assert_false(field_next_etag(&rest, &tag, &weak));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_token_has_tchars_only),
		TEST(parameters_are_read_one_by_one),
		TEST(a_parameter_of_another_form_is_refused),
		TEST(an_empty_rest_has_no_parameter),
		TEST(only_quotes_and_backslashes_lose_their_backslash),
		TEST(a_parameter_is_found_by_its_name_in_either_case),
		TEST(a_type_with_the_higher_weight_is_preferred),
		TEST(a_type_with_an_equal_or_lower_weight_is_not_preferred),
		TEST(the_more_specific_range_decides),
		TEST(a_malformed_weight_is_zero),
		TEST(entity_tags_match_weakly_and_as_a_whole),
		TEST(a_strong_comparison_takes_no_weak_tag),
		TEST(a_tag_may_contain_commas_and_blanks),
		TEST(a_list_ends_at_what_is_not_an_entity_tag),
	};

	return RUN(tests);
}
