#include "common/codec/json.h"
#include "tests/unit/unit.h"

static void assert_refused(struct span text)
{
	struct json_object *o = NULL;
	enum err e = json_read(text, &o);

	if (e == ERR_OK)
		print_error("taken: %.*s\n", SPAN_ARG(text));
	json_object_put(o);
	assert_err(e, ERR_FORMAT);
}

static struct json_object *parsed(struct span text)
{
	struct json_object *o = NULL;

	assert_ok(json_read(text, &o));
	assert_non_null(o);
	return o;
}

static void an_object_is_read_and_its_members_are_found(void **state)
{
	struct json_object *o = parsed(
		SPAN("{\"name\":\"a \\u00e9 \\\"b\\\"\",\"n\":-7,\"yes\":true,"
		     "\"no\":false,\"list\":[1,2],\"in\":{\"x\":null}}"));
	char text[32];
	int64_t n;
	bool b;

	(void)state;
	assert_ok(json_get_text(o, "name", text, sizeof(text)));
	assert_string_equal(text, "a \xc3\xa9 \"b\"");
	assert_ok(json_get_int(o, "n", &n));
	assert_int_equal(n, -7);
	assert_ok(json_get_bool(o, "yes", &b));
	assert_true(b);
	assert_ok(json_get_bool(o, "no", &b));
	assert_false(b);
	assert_err(json_get_text(o, "none", text, sizeof(text)), ERR_NOT_FOUND);
	assert_err(json_get_int(o, "none", &n), ERR_NOT_FOUND);
	assert_err(json_get_bool(o, "none", &b), ERR_NOT_FOUND);
	json_object_put(o);
}

static void white_space_around_the_object_is_accepted(void **state)
{
	(void)state;
	json_object_put(parsed(SPAN(" \t\r\n{ \"a\" : 1 } ")));
	json_object_put(parsed(SPAN("{\"a\":1}\n")));
	json_object_put(parsed(SPAN("{}\r\n\t ")));
}

static void a_text_is_read_only_if_it_is_one_whole_object(void **state)
{
	static const char *const wrong[] = {
		"",
		"  ",
		"[]",
		"1",
		"\"a\"",
		"null",
		"true",
		"{",
		"{\"a\"",
		"{\"a\":",
		"{\"a\":1",
		"{\"a\":1}}",
		"{\"a\":1}x",
		"{\"a\":1}{}",
		"{\"a\":1} {}",
		"{\"a\":1},",
		"\xef\xbb\xbf{}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_refused(span_of(wrong[i]));
	assert_refused(SPAN("{\"a\":1}\0"));
	assert_refused(SPAN("{\"a\":1}\0{\"a\":2}"));
	assert_refused((struct span) { NULL, 0 });
}

static const char *const not_json[] = {
	"{'a':1}",
	"{a:1}",
	"{\"a\":1,}",
	"{,\"a\":1}",
	"{\"a\":01}",
	"{\"a\":+1}",
	"{\"a\":.5}",
	"{\"a\":0x10}",
	"{\"a\":1}//x",
	"/**/{}",
	"{/**/\"a\":1}",
	"{\"a\":TRUE}",
	"{\"a\":True}",
	"{\"a\":NULL}",
	"{\"a\":NaN}",
	"{\"a\":Infinity}",
	"{\"a\":-Infinity}",
	"{\"a\":[1,]}",
	"{\"a\":1 \"b\":2}",
	"{\"a\" 1}",
	"{\"a\":\"\t\"}",
	"{\"a\":\"\\x41\"}",
	"{\"a\":\"\\u12\"}",
	"{\"a\":tru}",
	"{\"a\":'b'}",
	"{\"a\":9.}",
	"{\"a\":-.5}",
	"{\"a\":-01}",
	"{\"a\":00}",
	"{\"a\":1e}",
	"{\"a\":-}",
	"{\"a\":\"\n\"}",
	"{\"a\":\"\x01\"}",
	"{\v\"a\":1}",
	"{\"a\":[1]]}",
	"{\"a\":1-1}",
	"{\"a\":nan}",
	"{\"a\":-NaN}",
	"{\"a\":infinity}",
	"{\"a\":-inf}",
	"{\"a\":FALSE}",
	"{\"a\":truetrue}",
	"{\"a\":true1}",
	"{\"a\":1true}",
	"{\"a\":nul}",
	"{\"a\":nulll}",
	"{\"a\":1e+}",
	"{\"a\":1.e1}",
	"{\"a\":1.5.5}",
	"{\"a\":1e5e5}",
	"{\"a\":--1}",
	"{\"a\":0b1}",
	"{\"a\":'b\"}",
	"{\"a\":`b`}",
	"{\"a\":\"\\'\"}",
	"{\"a\":\"\\\n\"}",
	"{\"a\":\"\r\"}",
	"{\"a\":\"\x1f\"}",
	"{\f\"a\":1}",
	"{\"a\":1}\f",
	"{\"a\":1 2}",
	"{\"a\":\"b\" \"c\"}",
	"{\"a\";1}",
	"{1:2}",
	"{null:1}",
	"{[]:1}",
	"{\"a\":\"\\u+123\"}",
};

static void a_text_outside_rfc_8259_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(not_json); i++)
		assert_refused(span_of(not_json[i]));
}

static void utf8_is_read_in_names_and_in_values(void **state)
{
	struct json_object *o = parsed(
		SPAN("{\"gr\xc3\xbc\xc3\x9f\":\"m\xc3\xbcller@example.org\","
		     "\"\xe6\x97\xa5\":[\"\xf0\x9f\x98\x80\",\"\xc2\x80\"]}"));
	char text[32];

	(void)state;
	assert_ok(json_get_text(o, "gr\xc3\xbc\xc3\x9f", text, sizeof(text)));
	assert_string_equal(text, "m\xc3\xbcller@example.org");
	assert_span(json_write(o), "{\"gr\xc3\xbc\xc3\x9f\":"
				   "\"m\xc3\xbcller@example.org\","
				   "\"\xe6\x97\xa5\":"
				   "[\"\xf0\x9f\x98\x80\",\"\xc2\x80\"]}");
	json_object_put(o);
	/* Only in texts; U+00A0 is no white space of JSON */
	assert_refused(SPAN("{\"a\":\xc3\xbc}"));
	assert_refused(SPAN("{\xc2\xa0\"a\":1}"));
	assert_refused(SPAN("{\"a\":1}\xc2\xa0"));
}

static void a_comma_before_a_bracket_is_refused(void **state)
{
	static const char *const wrong[] = {
		"{,}",
		"{\"a\":1 ,\r\n\t }",
		"{\"a\":[1,\n]}",
		"{\"a\":[,]}",
		"{\"a\":[1,,2]}",
		"{\"a\":1,,\"b\":2}",
		"{\"a\":[,1]}",
		"{\"a\":{\"b\":1,},\"c\":2}",
		"{\"a\":[{},]}",
		"{\"a\":1,",
		"{\"a\":1,\"b\",}",
		"{\"a\",\"b\":1}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_refused(span_of(wrong[i]));
	/* inside a text it is a comma like any other */
	json_object_put(parsed(SPAN("{\"a,}\":\",]\",\"b\":[\",}\",1]}")));
}

static void a_comment_is_refused(void **state)
{
	static const char *const wrong[] = {
		"{\"a\":1/**/}",     "{\"a\"/**/:1}",	      "{\"a\":/**/1}",
		"{\"a\":1}/**/",     "{\"a\":1} // x\n",      "# x\n{}",
		"{\"a\":[1,/**/2]}", "{\"a\":1,/**/\"b\":2}", "{//x\n}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_refused(span_of(wrong[i]));
	json_object_put(parsed(SPAN("{\"/**/\":\"//x\"}")));
}

static void a_duplicate_key_is_refused(void **state)
{
	(void)state;
	assert_refused(SPAN("{\"sub\":\"1\",\"sub\":\"2\"}"));
	assert_refused(SPAN("{\"sub\":\"1\",\"sub\":\"1\"}"));
	assert_refused(SPAN("{\"sub\":\"1\",\"s\\u0075b\":\"2\"}"));
	assert_refused(SPAN("{\"a\":{\"b\":1,\"b\":2}}"));
	assert_refused(SPAN("{\"a\":[{\"b\":1,\"b\":2}]}"));
	assert_refused(SPAN("{\"a\":{\"b\":1,\"c\":2},\"a\":3}"));
	assert_refused(SPAN("{\"\":1,\"\":2}"));
	/* a quote inside a text does not end it */
	assert_refused(SPAN("{\"a\":1,'\"':2,\"a\":3,'\"':4}"));
}

static void colons_and_quotes_inside_texts_are_not_counted_as_keys(void **state)
{
	(void)state;
	json_object_put(parsed(SPAN("{\"a:b\":\"c:d\",\"e\\\":\":\"\\\\\"}")));
	json_object_put(parsed(SPAN("{\"a\":\"\\\\\\\":x\",\"b\":{\"a\":1}}")));
}

static void a_key_with_a_nul_is_refused(void **state)
{
	(void)state;
	assert_refused(SPAN("{\"sub\\u0000x\":\"1\"}"));
	assert_refused(SPAN("{\"sub\\u0000\":\"1\",\"a\":\"2\"}"));
	assert_refused(SPAN("{\"sub\":\"1\\u0000\"}"));
	/* an escaped backslash, not the escape of a NUL */
	json_object_put(parsed(SPAN("{\"a\":\"\\\\u0000\"}")));
}

static void half_of_a_surrogate_pair_is_refused(void **state)
{
	(void)state;
	assert_refused(SPAN("{\"a\":\"\\ud800\"}"));
	assert_refused(SPAN("{\"a\":\"\\uDC00\"}"));
	assert_refused(SPAN("{\"a\":\"x\\ud83dx\\ude00\"}"));
	assert_refused(SPAN("{\"a\":\"\\ud83d\\ud83d\\ude00\"}"));
	assert_refused(SPAN("{\"\\udfff\":1}"));
	json_object_put(parsed(SPAN("{\"a\":\"\\ud83d\\ude00\\\\ud800\"}")));
	json_object_put(parsed(SPAN("{\"a\":\"\\ud7ff\\ue000\"}")));
}

static void numbers_of_every_form_are_read(void **state)
{
	(void)state;
	json_object_put(parsed(SPAN("{\"a\":[0,-0,10,1.5,-0.05,1e3,1E+3,"
				    "12.50e-07,-9]}")));
}

static void four_levels_are_read_and_a_fifth_is_refused(void **state)
{
	(void)state;
	json_object_put(parsed(SPAN("{\"a\":[[1]]}")));
	assert_refused(SPAN("{\"a\":[[[[1]]]]}"));
	assert_refused(SPAN("{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[["));
}

static void bytes_that_are_not_utf8_are_refused(void **state)
{
	(void)state;
	assert_refused(SPAN("{\"a\":\"\xff\"}"));
	assert_refused(SPAN("{\"a\":\"\xc3\"}"));
	assert_refused(SPAN("{\"\xed\xa0\x80\":1}"));
	assert_refused(SPAN("{\"a\":1}\xff"));
}

static void a_text_is_returned_whole_or_not_at_all(void **state)
{
	struct json_object *o = parsed(SPAN(
		"{\"one\":\"a\\u0001b\",\"line\":\"a\\nb\",\"del\":"
		"\"a\\u007f\","
		"\"four\":\"1234\",\"int\":7,\"null\":null,\"list\":[\"a\"]}"));
	static const char *const wrong[] = { "one", "line", "del",
					     "int", "null", "list" };
	char out[5] = "old";

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_err(json_get_text(o, wrong[i], out, sizeof(out)),
			   ERR_FORMAT);
	assert_err(json_get_text(o, "four", out, 4), ERR_FORMAT);
	assert_string_equal(out, "old");
	assert_ok(json_get_text(o, "four", out, 5));
	assert_string_equal(out, "1234");
	json_object_put(o);
}

static void an_integer_is_whole_and_in_range(void **state)
{
	struct json_object *o = parsed(SPAN(
		"{\"most\":9223372036854775806,\"over\":9223372036854775808,"
		"\"huge\":99999999999999999999999,\"under\":-"
		"9999999999999999999,"
		"\"half\":1.5,\"exp\":1e3,\"text\":\"1\",\"null\":null,"
		"\"bool\":true}"));
	static const char *const wrong[] = { "over", "huge", "under", "half",
					     "exp",  "text", "null",  "bool" };
	int64_t n = 77;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_err(json_get_int(o, wrong[i], &n), ERR_FORMAT);
	assert_int_equal(n, 77);
	assert_ok(json_get_int(o, "most", &n));
	assert_true(n == INT64_MAX - 1);
	json_object_put(o);
}

static void a_boolean_is_true_or_false_only(void **state)
{
	struct json_object *o = parsed(SPAN(
		"{\"one\":1,\"text\":\"true\",\"null\":null,\"list\":[true]}"));
	static const char *const wrong[] = { "one", "text", "null", "list" };
	bool b = true;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_err(json_get_bool(o, wrong[i], &b), ERR_FORMAT);
	assert_true(b);
	json_object_put(o);
}

static void a_written_object_is_compact_and_can_be_read(void **state)
{
	struct json_object *o = json_object_new_object(), *back;
	char text[16];

	(void)state;
	assert_non_null(o);
	json_set_str(o, "url", "/a/b");
	json_set_span(o, "evil", SPAN("\"\\\n\x01\x7f"));
	json_set_int(o, "n", INT64_MIN);
	json_set_bool(o, "b", false);
	assert_span(json_write(o),
		    "{\"url\":\"/a/b\",\"evil\":\"\\\"\\\\\\n\\u0001\x7f\","
		    "\"n\":-9223372036854775808,\"b\":false}");
	back = parsed(json_write(o));
	assert_ok(json_get_text(back, "url", text, sizeof(text)));
	assert_string_equal(text, "/a/b");
	json_object_put(back);
	json_object_put(o);
}

static void an_array_is_added_empty_and_filled_in_order(void **state)
{
	struct json_object *o = json_object_new_object();
	struct json_object *list = json_add_array(o, "list");

	(void)state;
	assert_non_null(list);
	assert_span(json_write(o), "{\"list\":[]}");
	assert_ok(json_append(list, json_object_new_int(1)));
	assert_ok(json_append(list, json_object_new_int(2)));
	assert_span(json_write(o), "{\"list\":[1,2]}");
	json_object_put(o);
}

static void an_object_that_could_not_be_made_is_out_of_memory(void **state)
{
	struct json_object *o = json_object_new_object();
	struct json_object *list = json_add_array(o, "list");

	(void)state;
	assert_null(json_add_array(NULL, "list"));
	assert_err(json_append(list, NULL), ERR_MEMORY);
	assert_span(json_write(o), "{\"list\":[]}");
	json_object_put(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_object_is_read_and_its_members_are_found),
		TEST(white_space_around_the_object_is_accepted),
		TEST(a_text_is_read_only_if_it_is_one_whole_object),
		TEST(a_text_outside_rfc_8259_is_refused),
		TEST(utf8_is_read_in_names_and_in_values),
		TEST(a_comma_before_a_bracket_is_refused),
		TEST(a_comment_is_refused),
		TEST(a_duplicate_key_is_refused),
		TEST(colons_and_quotes_inside_texts_are_not_counted_as_keys),
		TEST(numbers_of_every_form_are_read),
		TEST(a_key_with_a_nul_is_refused),
		TEST(half_of_a_surrogate_pair_is_refused),
		TEST(four_levels_are_read_and_a_fifth_is_refused),
		TEST(bytes_that_are_not_utf8_are_refused),
		TEST(a_text_is_returned_whole_or_not_at_all),
		TEST(an_integer_is_whole_and_in_range),
		TEST(a_boolean_is_true_or_false_only),
		TEST(a_written_object_is_compact_and_can_be_read),
		TEST(an_array_is_added_empty_and_filled_in_order),
		TEST(an_object_that_could_not_be_made_is_out_of_memory),
	};

	return RUN(tests);
}
