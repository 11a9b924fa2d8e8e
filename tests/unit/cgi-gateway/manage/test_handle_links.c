#include "cgi-gateway/tables/links.h"
#include "tests/unit/cgi-gateway/gateway.h"
#include "tests/unit/cgi-gateway/json_memory.h"

#define ID "0190b3a2-0000-7000-8000-0000000000ab"

static struct db *db;
static struct gateway g;
static struct file file;

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
	file = (struct file) { .id = ID,
			       .owner = GATEWAY_USER,
			       .name = "a",
			       .type = "text/plain",
			       .size = 1,
			       .created_at = GATEWAY_NOW };
	assert_ok(gateway_add(&g, &file, 1));
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
	gateway_request(&g, "GET", "/files/" ID "/links", "");
	return gateway_answer(&g, handle_links, SPAN(ID));
}

static int create(void)
{
	gateway_request(&g, "POST", "/files/" ID "/links", "");
	memory_set(&g.memory, "CONTENT_LENGTH", "0");
	return gateway_answer(&g, handle_link_new, SPAN(ID));
}

static void a_list_has_every_link_but_no_address(void **state)
{
	(void)state;
	assert_int_equal(create(), 201);
	assert_true(gateway_said(&g, "\"url\":\"/s/"));
	assert_int_equal(create(), 201);
	assert_int_equal(list(), 200);
	assert_true(gateway_said(&g, "\"downloads\":0},{\"id\":"));
	assert_lacks(memory_answer(&g.memory).p, "/s/");
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
	for (int i = 0; i < LINK_FILE_MAX; i++)
		assert_int_equal(create(), 201);
	assert_int_equal(create(), 409);
	assert_true(gateway_said(&g, "The file has 100 links, the maximum. "
				     "Revoke one first."));
}

#define LINKS(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		LINKS(a_list_has_every_link_but_no_address),
		LINKS(a_list_without_memory_is_an_error_not_a_shorter_list),
		LINKS(a_new_link_without_memory_is_an_error),
		LINKS(the_link_after_the_last_allowed_one_is_a_conflict),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, open_db, close_db);
}
