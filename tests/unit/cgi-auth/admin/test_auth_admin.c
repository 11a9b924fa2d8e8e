#include "cgi-auth/admin/auth_admin.h"

#include "tests/unit/unit.h"

#include <sodium.h>
#include <stdlib.h>

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
enum err __real_db_open(const struct db_config *c, struct db **out,
			struct errmsg *why);
enum err __wrap_db_open(const struct db_config *c, struct db **out,
			struct errmsg *why);
static bool no_malloc, no_db;

void *__wrap_malloc(size_t n)
{
	return no_malloc ? NULL : __real_malloc(n);
}

enum err __wrap_db_open(const struct db_config *c, struct db **out,
			struct errmsg *why)
{
	return no_db ? ERR_MEMORY : __real_db_open(c, out, why);
}

static int set_up(void **state)
{
	(void)state;
	no_malloc = no_db = false;
	return setenv("MYSQL_USER", "auth", 1) != 0 ||
	       unsetenv("GATEHOUSE_CONF") != 0;
}

static void no_key_is_needed(void **state)
{
	struct auth_admin a;

	(void)state;
	assert_int_equal(auth_admin_open(&a), 0);
	auth_admin_close(&a);
}

static void a_missing_setting_is_78(void **state)
{
	struct auth_admin a;

	(void)state;
	assert_int_equal(unsetenv("MYSQL_USER"), 0);
	assert_int_equal(auth_admin_open(&a), 78);
}

static void out_of_memory_is_71(void **state)
{
	struct auth_admin a;

	(void)state;
	no_db = true;
	assert_int_equal(auth_admin_open(&a), 71);
}

static void out_of_memory_for_the_file_of_settings_is_71(void **state)
{
	struct auth_admin a;

	(void)state;
	assert_int_equal(setenv("GATEHOUSE_CONF", "/dev/null", 1), 0);
	no_malloc = true;
	assert_int_equal(auth_admin_open(&a), 71);
	no_malloc = false;
}

#define OPEN(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPEN(no_key_is_needed),
		OPEN(a_missing_setting_is_78),
		OPEN(out_of_memory_is_71),
		OPEN(out_of_memory_for_the_file_of_settings_is_71),
	};

	return sodium_init() < 0 || RUN(tests);
}
