#include "common/codec/json.h"
#include "common/codec/json_fault.h"
#include "tests/unit/unit.h"

static enum json_fault fault_of(const char *text, struct span *key)
{
	struct json_object *o = NULL;

	/* json_fault_of() explains refusals only */
	assert_err(json_read(span_of(text), &o), ERR_FORMAT);
	*key = (struct span) { NULL, 0 };
	return json_fault_of(span_of(text), key);
}

static void a_member_that_occurs_twice_is_named(void **state)
{
	struct span key;

	(void)state;
	assert_int_equal(fault_of("{\"a\":1,\"b\":\"a\",\"b\" : 2}", &key),
			 JSON_FAULT_TWICE);
	assert_true(span_eq(key, SPAN("b")));
	assert_int_equal(fault_of("{\"\\\"x\":1,\"\\\"x\":2}", &key),
			 JSON_FAULT_TWICE);
	assert_true(span_eq(key, SPAN("\\\"x")));
}

static void half_of_a_surrogate_pair_is_found(void **state)
{
	struct span key;

	(void)state;
	assert_int_equal(fault_of("{\"a\":\"\\ud800\"}", &key),
			 JSON_FAULT_HALF);
	assert_int_equal(fault_of("{\"a\":\"\\ud83d\\ude00\",}", &key),
			 JSON_FAULT_TEXT);
}

static void a_value_is_no_member(void **state)
{
	struct span key;

	(void)state;
	assert_int_equal(fault_of("{\"a\":\"a\",\"b\":\"a:\",}", &key),
			 JSON_FAULT_TEXT);
	assert_int_equal(fault_of("{\"a\":{\"b\":1},\"b\":{\"b\":1}", &key),
			 JSON_FAULT_TEXT);
}

static void deep_nesting_is_found_where_json_read_refuses_it(void **state)
{
	struct json_object *o = NULL;
	struct span key;

	(void)state;
	assert_int_equal(JSON_FAULT_LEVELS, JSON_DEPTH - 1);
	assert_ok(json_read(SPAN("{\"a\":{\"b\":{\"c\":1}}}"), &o));
	json_object_put(o);
	assert_int_equal(fault_of("{\"a\":{\"b\":{\"c\":{\"d\":1}}}}", &key),
			 JSON_FAULT_DEEP);
	assert_int_equal(fault_of("{\"a\":[[[1]]]}", &key), JSON_FAULT_DEEP);
	assert_int_equal(fault_of("{\"a\":\"[[[[[[\",}", &key),
			 JSON_FAULT_TEXT);
}

static void a_text_that_breaks_off_has_no_other_fault(void **state)
{
	static const char *const texts[] = { "",       "{",	    "{\"",
					     "{\"a\\", "{\"a\"",    "{\"a\":",
					     "]]]]",   "\"\"\"\"\"" };
	struct span key;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_int_equal(fault_of(texts[i], &key), JSON_FAULT_TEXT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_member_that_occurs_twice_is_named),
		TEST(half_of_a_surrogate_pair_is_found),
		TEST(a_value_is_no_member),
		TEST(deep_nesting_is_found_where_json_read_refuses_it),
		TEST(a_text_that_breaks_off_has_no_other_fault),
	};

	return RUN(tests);
}
