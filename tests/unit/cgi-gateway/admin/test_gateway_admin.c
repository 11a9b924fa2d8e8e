#include "cgi-gateway/admin/gateway_admin.h"

#include "tests/unit/unit.h"

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
	return setenv("DATA_DIR", "/proc/files", 1) != 0 ||
	       setenv("MYSQL_USER", "gateway", 1) != 0 ||
	       unsetenv("GATEHOUSE_CONF") != 0;
}

static void a_command_without_a_store_needs_no_data_dir(void **state)
{
	struct gateway_admin g;

	(void)state;
	assert_int_equal(gateway_admin_open(&g, NEEDS_DATABASE), 0);
	assert_null(g.app.store);
	gateway_admin_close(&g);
	assert_int_equal(gateway_admin_open(&g, NEEDS_DATABASE_AND_STORE), 78);
}

static void a_missing_setting_is_78(void **state)
{
	struct gateway_admin g;

	(void)state;
	assert_int_equal(unsetenv("MYSQL_USER"), 0);
	assert_int_equal(gateway_admin_open(&g, NEEDS_DATABASE), 78);
}

static void out_of_memory_is_71(void **state)
{
	struct gateway_admin g;

	(void)state;
	no_db = true;
	assert_int_equal(gateway_admin_open(&g, NEEDS_DATABASE), 71);
}

static void out_of_memory_for_the_file_of_settings_is_71(void **state)
{
	struct gateway_admin g;

	(void)state;
	assert_int_equal(setenv("GATEHOUSE_CONF", "/dev/null", 1), 0);
	no_malloc = true;
	assert_int_equal(gateway_admin_open(&g, NEEDS_DATABASE), 71);
	no_malloc = false;
}

#define OPEN(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPEN(a_command_without_a_store_needs_no_data_dir),
		OPEN(a_missing_setting_is_78),
		OPEN(out_of_memory_is_71),
		OPEN(out_of_memory_for_the_file_of_settings_is_71),
	};

	return RUN(tests);
}
