#include "cgi-gateway/app/chosen_store.h"
#include "tests/unit/cgi-gateway/folder.h"
#include "tests/unit/unit.h"

static char dir[FOLDER_PATH_MAX], name[64];
static struct app app;
static struct errmsg why;

static int set_up(void **state)
{
	(void)state;
	folder_make(dir);
	(void)snprintf(name, sizeof(name), "disk");
	app = (struct app) { .store_name = name, .data_dir = dir };
	why.text[0] = '\0';
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	store_close(app.store);
	folder_remove(dir);
	return 0;
}

static void disk_is_a_store(void **state)
{
	(void)state;
	assert_ok(chosen_store_known(&app, &why));
	assert_ok(chosen_store_check(&app, &why));
	assert_null(app.store);
	assert_ok(chosen_store_open(&app, &why));
	assert_ok(store_ready(app.store, &why));
}

static void an_unknown_store_is_refused_with_those_that_exist(void **state)
{
	static const char *const unknown[] = { "s3", "Disk", "disk ", "" };

	(void)state;
	for (size_t i = 0; i < COUNT(unknown); i++) {
		(void)snprintf(name, sizeof(name), "%s", unknown[i]);
		assert_err(chosen_store_known(&app, &why), ERR_CONFIG);
		assert_contains(why.text, "STORE: \"");
		assert_contains(why.text, "is not a store; set one of: disk");
		assert_err(chosen_store_check(&app, &why), ERR_CONFIG);
		assert_err(chosen_store_open(&app, &why), ERR_CONFIG);
		assert_null(app.store);
	}
}

static void a_check_creates_nothing(void **state)
{
	char missing[FOLDER_PATH_MAX + 8];

	(void)state;
	(void)snprintf(missing, sizeof(missing), "%s/new", dir);
	app.data_dir = missing;
	assert_ok(chosen_store_check(&app, &why));
	assert_int_equal(access(missing, F_OK), -1);
	app.data_dir = dir;
}

static void a_percent_sign_in_DATA_DIR_excludes_SENDFILE(void **state)
{
	char escape[FOLDER_PATH_MAX + 8];

	(void)state;
	(void)snprintf(escape, sizeof(escape), "%s/a%%41", dir);
	app.data_dir = escape;
	app.by_server = true;
	assert_err(chosen_store_check(&app, &why), ERR_CONFIG);
	assert_contains(why.text, "DATA_DIR: ");
	assert_err(chosen_store_open(&app, &why), ERR_CONFIG);
	assert_null(app.store);
	app.by_server = false;
	assert_ok(chosen_store_check(&app, &why));
	assert_ok(chosen_store_open(&app, &why));
}

#define STORE_TEST(test) \
	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(disk_is_a_store),
		STORE_TEST(an_unknown_store_is_refused_with_those_that_exist),
		STORE_TEST(a_check_creates_nothing),
		STORE_TEST(a_percent_sign_in_DATA_DIR_excludes_SENDFILE),
	};

	return RUN(tests);
}
