#include "cgi-gateway/tables/upload_links.h"
#include "tests/unit/cgi-gateway/gateway.h"
#include "tests/unit/cgi-gateway/json_memory.h"

static struct db *db;
static struct gateway g;

static int open_db(void **state)
{
	(void)state;
	db = mariadb_pool(2);
	gateway_people(db);
	return 0;
}

static int close_db(void **state)
{
	(void)state;
	db_close(db);
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	gateway_clear(db);
	gateway_open(&g, db);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	gateway_close(&g);
	return 0;
}

static int list(void)
{
	gateway_request(&g, "GET", "/upload-links", "");
	return gateway_answer(&g, handle_upload_links, SPAN(""));
}

static int create(void)
{
	gateway_request(&g, "POST", "/upload-links", "");
	memory_set(&g.memory, "CONTENT_LENGTH", "0");
	return gateway_answer(&g, handle_upload_link_new, SPAN(""));
}

static void a_list_has_every_link_but_no_address(void **state)
{
	(void)state;
	assert_int_equal(create(), 201);
	assert_true(gateway_said(&g, "\"url\":\"/u/"));
	assert_int_equal(create(), 201);
	assert_int_equal(list(), 200);
	assert_true(gateway_said(&g, "\"max_file_bytes\":null},{\"id\":"));
	assert_lacks(memory_answer(&g.memory).p, "/u/");
}

static void a_list_without_memory_is_an_error_not_a_shorter_list(void **state)
{
	(void)state;
	assert_int_equal(create(), 201);
	assert_int_equal(create(), 201);
	assert_survives_no_memory(list, 200);
}

static void a_new_link_without_memory_is_an_error(void **state)
{
	(void)state;
	assert_survives_no_memory(create, 201);
}

static void the_link_after_the_last_allowed_one_is_a_conflict(void **state)
{
	(void)state;
	for (int i = 0; i < UPLOAD_LINK_OWNER_MAX; i++)
		assert_int_equal(create(), 201);
	assert_int_equal(create(), 409);
	assert_true(gateway_said(
		&g,
		"There are 100 upload links, the maximum. Revoke one first."));
}

#define UPLOAD_LINKS(name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		UPLOAD_LINKS(a_list_has_every_link_but_no_address),
		UPLOAD_LINKS(
			a_list_without_memory_is_an_error_not_a_shorter_list),
		UPLOAD_LINKS(a_new_link_without_memory_is_an_error),
		UPLOAD_LINKS(the_link_after_the_last_allowed_one_is_a_conflict),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, open_db, close_db);
}
