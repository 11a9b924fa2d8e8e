#include "common/admin/exit_status.h"

#include "common/admin/failure.h"
#include "tests/unit/common/admin/capture.h"

static void each_error_has_its_documented_status(void **state)
{
	static const struct {
		enum err e;
		int status;
	} cases[] = {
		{ ERR_OK, 0 },	     { ERR_NOT_FOUND, 1 },
		{ ERR_CONFLICT, 1 }, { ERR_UNAVAILABLE, 69 },
		{ ERR_MEMORY, 71 },  { ERR_IO, 74 },
		{ ERR_FULL, 74 },    { ERR_CONFIG, 78 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(exit_status_of(cases[i].e), cases[i].status);
}

static void the_help_lists_every_status(void **state)
{
	static const int statuses[] = { 0, 1, 64, 69, 71, 74, 75, 78 };
	char text[16];

	(void)state;
	for (size_t i = 0; i < COUNT(statuses); i++) {
		(void)snprintf(text, sizeof(text), "\n  %-3d ", statuses[i]);
		assert_contains(exit_status_help, text);
	}
}

/* What reporter() prints, and its status */
static int failing(int (*reporter)(enum err e, const struct errmsg *why),
		   enum err e, const char *why, struct capture *c)
{
	struct errmsg m;
	int status;

	(void)snprintf(m.text, sizeof(m.text), "%s", why);
	admin_fail_begin("tool", "do it");
	capture_begin(c);
	status = reporter(e, &m);
	capture_end(c);
	assert_string_equal(c->out, "");
	return status;
}

static void a_failure_is_one_line_with_program_and_command(void **state)
{
	struct capture c;

	(void)state;
	assert_int_equal(failing(admin_fail_err, ERR_IO, "disk", &c), 74);
	assert_string_equal(c.err, "tool do it: disk\n");
	assert_int_equal(failing(admin_fail_err, ERR_MEMORY, "", &c), 71);
	assert_string_equal(c.err, "tool do it: out of memory\n");
}

static void a_database_failure_says_what_to_check(void **state)
{
	struct capture c;

	(void)state;
	assert_int_equal(failing(admin_fail_db, ERR_UNAVAILABLE, "no", &c), 69);
	assert_contains(c.err, "the database is unavailable (no); check");
	assert_int_equal(failing(admin_fail_db, ERR_IO, "1146", &c), 78);
	assert_contains(c.err, "schema");
	assert_int_equal(failing(admin_fail_db, ERR_MEMORY, "", &c), 71);
}

static void settings_fail_with_78_but_out_of_memory_with_71(void **state)
{
	struct capture c;

	(void)state;
	assert_int_equal(failing(admin_fail_settings, ERR_CONFIG, "X", &c), 78);
	assert_int_equal(failing(admin_fail_settings, ERR_IO, "X", &c), 78);
	assert_int_equal(failing(admin_fail_settings, ERR_MEMORY, "", &c), 71);
}

static void a_usage_failure_names_the_help(void **state)
{
	struct capture c;
	int status;

	(void)state;
	admin_fail_begin("tool", "do it");
	capture_begin(&c);
	status = admin_fail_usage("%s is missing", "X");
	capture_end(&c);
	assert_int_equal(status, 64);
	assert_string_equal(
		c.err, "tool do it: X is missing; see tool do it --help\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_error_has_its_documented_status),
		TEST(the_help_lists_every_status),
		TEST(a_failure_is_one_line_with_program_and_command),
		TEST(a_database_failure_says_what_to_check),
		TEST(settings_fail_with_78_but_out_of_memory_with_71),
		TEST(a_usage_failure_names_the_help),
	};

	return RUN(tests);
}
