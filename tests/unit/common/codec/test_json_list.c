#include "common/codec/json_list.h"
#include "tests/unit/unit.h"

static struct json_object *row(const char *name)
{
	struct json_object *o = json_object_new_object();

	json_set_str(o, "name", name);
	return o;
}

static void assert_text(const struct json_list *l, const char *want)
{
	char text[256];
	struct span got;

	assert_ok(json_list_text(l, &got));
	assert_true(span_to_cstr(got, text, sizeof(text)));
	assert_string_equal(text, want);
}

static void rows_are_written_with_the_escapes_of_json(void **state)
{
	struct json_list l;

	(void)state;
	json_list_begin(&l, "files");
	assert_ok(json_list_add(&l, row("a\"/\n\x01")));
	assert_ok(json_list_add(&l, row("\xc3\xa4")));
	json_list_end(&l, ",\"next\":null");
	assert_text(&l, "{\"files\":[{\"name\":\"a\\\"/\\n\\u0001\"},"
			"{\"name\":\"\xc3\xa4\"}],\"next\":null}");
	json_list_release(&l);
}

static void a_list_without_rows_is_an_empty_array(void **state)
{
	struct json_list l;

	(void)state;
	json_list_begin(&l, "links");
	json_list_end(&l, "");
	assert_text(&l, "{\"links\":[]}");
	json_list_release(&l);
}

static void a_row_for_which_memory_ran_out_is_an_error(void **state)
{
	struct json_list l;

	(void)state;
	json_list_begin(&l, "files");
	assert_err(json_list_add(&l, NULL), ERR_MEMORY);
	json_list_release(&l);
}

static void a_list_over_the_limit_has_no_text(void **state)
{
	static char wide[1 << 20];
	enum err e = ERR_OK;
	struct json_list l;
	struct span text = SPAN("untouched");

	(void)state;
	memset(wide, 'x', sizeof(wide) - 1);
	json_list_begin(&l, "files");
	for (int i = 0; i < 7; i++)
		assert_ok(json_list_add(&l, row(wide)));
	for (int i = 0; e == ERR_OK && i < 2; i++)
		e = json_list_add(&l, row(wide));
	assert_err(e, ERR_TOO_LARGE);
	json_list_end(&l, "");
	assert_err(json_list_text(&l, &text), ERR_TOO_LARGE);
	assert_true(span_eq(text, SPAN("untouched")));
	json_list_release(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_written_with_the_escapes_of_json),
		cmocka_unit_test(a_list_without_rows_is_an_empty_array),
		cmocka_unit_test(a_row_for_which_memory_ran_out_is_an_error),
		cmocka_unit_test(a_list_over_the_limit_has_no_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
