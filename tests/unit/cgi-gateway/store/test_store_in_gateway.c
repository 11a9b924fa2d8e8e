/* The gateway's handlers with a store in memory: they need no paths. */
#include "tests/unit/cgi-gateway/gateway.h"
#include "tests/unit/cgi-gateway/store/store_memory.h"

static struct db *db;
static struct gateway g;
static struct memory_data *data;

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
	store_close(g.app.store);
	data = memory_data_new();
	assert_non_null(data);
	assert_ok(store_memory_open(data, &g.app.store, NULL));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	gateway_close(&g);
	memory_data_free(data);
	return 0;
}

static enum err count_item(void *count, const struct store_item *item)
{
	(void)item;
	++*(size_t *)count;
	return ERR_OK;
}

static size_t items(void)
{
	size_t count = 0;

	assert_ok(store_walk(g.app.store, count_item, &count, NULL));
	return count;
}

/* The id at the end of Location */
static struct span located(void)
{
	static char text[128];

	assert_true(span_to_cstr(memory_header(&g.memory, "Location"), text,
				 sizeof(text)));
	assert_true(strlen(text) > UUID_LEN);
	return span_from(span_of(text), strlen(text) - UUID_LEN);
}

static struct span upload(struct span body)
{
	gateway_request(&g, "PUT", "/upload/x", "");
	memory_body(&g.memory, body, 0);
	assert_int_equal(gateway_answer(&g, handle_upload_named, SPAN("a.txt")),
			 201);
	return located();
}

static void assert_download(struct span id, const char *want)
{
	gateway_request(&g, "GET", "/download/x", "");
	assert_int_equal(gateway_answer(&g, handle_download, id), 200);
	assert_span_str(memory_answer(&g.memory), want);
	assert_span_str(memory_header(&g.memory, "Content-Disposition"),
			"attachment; filename=\"a.txt\"");
	assert_false(memory_has_header(&g.memory, "X-Sendfile"));
	assert_false(memory_has_header(&g.memory, "X-Accel-Redirect"));
}

static void an_uploaded_file_is_downloaded_and_deleted(void **state)
{
	struct span id = upload(SPAN("hello"));

	(void)state;
	assert_int_equal(items(), 1);
	assert_download(id, "hello");
	gateway_request(&g, "DELETE", "/files/x", "");
	assert_int_equal(gateway_answer(&g, handle_file_remove, id), 204);
	assert_int_equal(items(), 0);
}

static void a_file_without_path_is_sent_whatever_SENDFILE_says(void **state)
{
	struct span id = upload(SPAN("hello"));

	(void)state;
	g.app.by_server = true;
	assert_download(id, "hello");
	g.app.by_address = true;
	assert_download(id, "hello");
}

static void a_range_of_a_file_without_path_is_sent(void **state)
{
	struct span id = upload(SPAN("0123456789"));

	(void)state;
	g.app.by_server = true;
	gateway_request(&g, "GET", "/download/x", "");
	memory_set(&g.memory, "HTTP_RANGE", "bytes=2-4");
	assert_int_equal(gateway_answer(&g, handle_download, id), 206);
	assert_span(memory_answer(&g.memory), "234");
}

static int patch(struct span id, const char *offset, const char *bytes)
{
	gateway_request(&g, "PATCH", "/tus/x", "");
	memory_set(&g.memory, "HTTP_TUS_RESUMABLE", "1.0.0");
	memory_set(&g.memory, "HTTP_UPLOAD_OFFSET", offset);
	memory_set(&g.memory, "CONTENT_TYPE",
		   "application/offset+octet-stream");
	memory_body(&g.memory, span_of(bytes), 2);
	return gateway_answer(&g, handle_tus_bytes, id);
}

static void a_resumable_upload_arrives_in_two_requests(void **state)
{
	struct span id;

	(void)state;
	gateway_request(&g, "POST", "/tus", "");
	memory_set(&g.memory, "HTTP_TUS_RESUMABLE", "1.0.0");
	memory_set(&g.memory, "HTTP_UPLOAD_LENGTH", "5");
	memory_set(&g.memory, "HTTP_UPLOAD_METADATA", "filename YS50eHQ=");
	assert_int_equal(gateway_answer(&g, handle_tus_new, SPAN("")), 201);
	id = located();
	assert_int_equal(patch(id, "0", "he"), 204);
	assert_int_equal(patch(id, "0", "he"), 409);
	assert_int_equal(patch(id, "2", "llo"), 204);
	assert_int_equal(items(), 1);
	assert_download(id, "hello");
}

#define MEMORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		MEMORY(an_uploaded_file_is_downloaded_and_deleted),
		MEMORY(a_file_without_path_is_sent_whatever_SENDFILE_says),
		MEMORY(a_range_of_a_file_without_path_is_sent),
		MEMORY(a_resumable_upload_arrives_in_two_requests),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, open_db, close_db);
}
