#include "tests/unit/cgi-gateway/gateway.h"
#include "tests/unit/cgi-gateway/json_memory.h"

#include <pthread.h>
#include <signal.h>

#define FILE_PART(name)                                                       \
	"--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"" name \
	"\"\r\nContent-Type: text/plain\r\n\r\n"
#define TWO_FILES            \
	FILE_PART("one.txt") \
	"first\r\n" FILE_PART("two.txt") "second\r\n--B--\r\n"

/* RFC 9530's example */
#define HELLO "{\"hello\": \"world\"}\n"
#define HELLO_HEX                                       \
	"44aff4ab2d7c3250525675a08f0cfa9591168cffe5179" \
	"1c5f5bbc417c15a6c38"
#define HELLO_B64 "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"

static struct db *db;
static struct gateway g;
static const char *admitted_at; /* of the requests; NULL: not asked before */

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
	admitted_at = NULL;
	gateway_open(&g, db);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	gateway_close(&g);
	return 0;
}

static void begin_form(struct span body, size_t piece)
{
	gateway_request(&g, "POST", "/upload", "");
	memory_set(&g.memory, "CONTENT_TYPE",
		   "multipart/form-data; boundary=B");
	memory_set(&g.memory, "ADMITTED_AT", admitted_at);
	memory_body(&g.memory, body, piece);
}

static int post_form(struct span body)
{
	begin_form(body, 7);
	return gateway_answer(&g, handle_upload, SPAN(""));
}

static void begin_raw(const char *query, struct span body)
{
	gateway_request(&g, "POST", "/upload", query);
	memory_set(&g.memory, "CONTENT_TYPE", "text/plain");
	memory_body(&g.memory, body, 5);
}

static int post_raw(const char *query, struct span body)
{
	begin_raw(query, body);
	return gateway_answer(&g, handle_upload, SPAN(""));
}

static int put(struct span name, struct span body)
{
	gateway_request(&g, "PUT", "/upload/x", "");
	memory_set(&g.memory, "ADMITTED_AT", admitted_at);
	memory_body(&g.memory, body, 0);
	return gateway_answer(&g, handle_upload_named, name);
}

/* The response is this problem, and neither a row nor a byte was stored */
#define assert_nothing(got, status, slug)                                    \
	do {                                                                 \
		int nothing_got = (got);                                     \
		assert_int_equal(nothing_got, status);                       \
		assert_true(gateway_said(&g, "\"urn:gatehouse:" slug "\"")); \
		assert_int_equal(folder_files(g.dir), 0);                    \
		assert_int_equal(file_table_rows(db), 0);                    \
	} while (0)

static void assert_stored(size_t files)
{
	assert_int_equal(gateway_objects(&g), files);
	assert_int_equal(gateway_unfinished(&g), 0);
	assert_int_equal(file_table_rows(db), files);
}

/* --- accepted uploads ----------------------------------------------------- */

static void the_files_of_a_form_are_stored_and_listed_in_order(void **state)
{
	(void)state;
	assert_int_equal(post_form(SPAN(TWO_FILES)), 201);
	assert_stored(2);
	assert_true(gateway_said(&g, "\"name\":\"one.txt\",\"size\":5"));
	assert_true(gateway_said(&g, "\"name\":\"two.txt\",\"size\":6"));
	assert_true(gateway_find(&g, "one.txt") < gateway_find(&g, "two.txt"));
	assert_false(memory_has_header(&g.memory, "Location"));
}

static void fields_and_empty_file_inputs_are_skipped(void **state)
{
	(void)state;
	assert_int_equal(
		post_form(SPAN(
			"--B\r\nContent-Disposition: form-data; "
			"name=\"comment\"\r\n\r\nwords\r\n" FILE_PART(
				"") "\r\n" FILE_PART("a.txt") "x\r\n--B--")),
		201);
	assert_stored(1);
	assert_true(gateway_said(&g, "\"name\":\"a.txt\",\"size\":1"));
	assert_true(memory_has_header(&g.memory, "Location"));
}

static void a_body_may_be_the_file(void **state)
{
	(void)state;
	assert_int_equal(post_raw("name=a%20b.txt", SPAN(HELLO)), 201);
	assert_stored(1);
	assert_true(gateway_said(&g, "\"name\":\"a b.txt\",\"size\":19,"
				     "\"type\":\"application/json\","
				     "\"claimed_type\":\"text/plain\","
				     "\"sha256\":\"" HELLO_HEX "\""));
	assert_int_equal(put(SPAN("c.bin"), SPAN("")), 201);
	assert_stored(2);
	assert_true(gateway_said(&g, "\"name\":\"c.bin\",\"size\":0,"
				     "\"type\":\"application/octet-stream\""));
}

static void the_type_is_decided_by_the_bytes_and_the_claim_is_stored_beside_it(
	void **state)
{
	(void)state;
	gateway_request(&g, "PUT", "/upload/x", "");
	memory_set(&g.memory, "CONTENT_TYPE", "Image/PNG; q=1");
	memory_body(&g.memory, SPAN("<script>alert(1)</script>"), 3);
	assert_int_equal(gateway_answer(&g, handle_upload_named, SPAN("x.png")),
			 201);
	assert_true(gateway_said(&g, "\"type\":\"text/html\","
				     "\"claimed_type\":\"image/png\""));
}

static void a_file_may_be_as_large_as_the_limit(void **state)
{
	static char body[GATEWAY_MAX_UPLOAD + 512];
	const struct span end = SPAN("\r\n--B--");
	struct span form = SPAN(FILE_PART("a"));
	struct span raw = { body, GATEWAY_MAX_UPLOAD };

	(void)state;
	memset(body, 'x', sizeof(body));
	assert_int_equal(put(SPAN("a"), raw), 201);
	memcpy(body, form.p, form.len);
	memcpy(body + form.len + GATEWAY_MAX_UPLOAD, end.p, end.len);
	begin_form(
		(struct span) { body, form.len + GATEWAY_MAX_UPLOAD + end.len },
		100);
	assert_int_equal(gateway_answer(&g, handle_upload, SPAN("")), 201);
	assert_stored(2);
}

static void an_upload_beyond_the_quota_leaves_nothing(void **state)
{
	(void)state;
	g.app.quota.bytes = 10; /* of 5 and 6 together */
	assert_int_equal(post_form(SPAN(TWO_FILES)), 507);
	assert_true(gateway_said(&g, "quota-exceeded"));
	assert_stored(0);
	g.app.quota = (struct quota_limits) { .files = 1 };
	assert_int_equal(post_form(SPAN(TWO_FILES)), 507);
	assert_stored(0);
	assert_int_equal(put(SPAN("a"), SPAN("x")), 201);
	assert_int_equal(put(SPAN("a"), SPAN("x")), 507);
	assert_stored(1);
}

static void a_length_beyond_the_quota_is_refused_unread(void **state)
{
	(void)state;
	g.app.max_upload = 4 << 20;
	g.app.quota.bytes = (2 << 20) - 1;
	begin_raw("name=a", SPAN("only the beginning"));
	memory_set(&g.memory, "CONTENT_LENGTH", "2097152");
	assert_int_equal(gateway_answer(&g, handle_upload, SPAN("")), 507);
	assert_true(gateway_said(&g, "quota-exceeded"));
	assert_stored(0);
	g.app.quota.bytes = 2
			    << 20; /* now the body is read, and is too short */
	begin_raw("name=a", SPAN("only the beginning"));
	memory_set(&g.memory, "CONTENT_LENGTH", "2097152");
	assert_int_equal(gateway_answer(&g, handle_upload, SPAN("")), 400);
	assert_stored(0);
}

static void a_file_one_byte_over_the_limit_is_too_large(void **state)
{
	static char body[GATEWAY_MAX_UPLOAD + 512];
	const struct span end = SPAN("\r\n--B--");
	struct span form = SPAN(TWO_FILES), head = SPAN(FILE_PART("big"));
	size_t n = form.len - 7; /* without the closing boundary */

	(void)state;
	memset(body, 'x', sizeof(body));
	assert_nothing(put(SPAN("a"),
			   ((struct span) { body, GATEWAY_MAX_UPLOAD + 1 })),
		       413, "too-large");
	/* by its length: not a byte was read */
	assert_int_equal(g.memory.read, 0);

	g.app.max_files = 10;
	memcpy(body, form.p, n);
	memcpy(body + n, head.p, head.len);
	n += head.len;
	g.app.max_upload = 50;
	memcpy(body + n + 51, end.p, end.len);
	assert_nothing(post_form((struct span) { body, n + 51 + end.len }), 413,
		       "too-large");
}

static void a_file_may_have_an_expiry(void **state)
{
	(void)state;
	assert_int_equal(post_raw("name=a&expires_in=60", SPAN("x")), 201);
	assert_true(
		gateway_said(&g, "\"expires_at\":\"2026-01-01T00:01:00Z\""));
	file_table_clear(db);
	assert_int_equal(post_raw("name=a&expires_in=0", SPAN("x")), 422);
	assert_int_equal(post_raw("name=a&expires_in=", SPAN("x")), 422);
	assert_int_equal(post_raw("name=a&expires_in=1e9", SPAN("x")), 422);
	assert_int_equal(gateway_objects(&g), 1);
	assert_int_equal(file_table_rows(db), 0);
}

static void an_admin_may_upload_for_another(void **state)
{
	int64_t owner = 0;

	(void)state;
	assert_nothing(post_raw("name=a&owner=7", SPAN("x")), 403,
		       "insufficient-scope");
	g.claims.admin = true;
	(void)snprintf(g.claims.scope, sizeof(g.claims.scope),
		       "files:write admin");
	assert_int_equal(post_raw("name=a&owner=7", SPAN("x")), 201);
	assert_ok(db_row(db, "SELECT owner FROM file", DB_NONE,
			 DB_OUT(db_to_int(&owner)), NULL));
	assert_int_equal(owner, 7);
}

/* --- what is cut off ------------------------------------------------------ */

static void a_form_that_ends_early_leaves_nothing(void **state)
{
	const struct span whole = SPAN(TWO_FILES);
	const size_t enough = whole.len - 2; /* the last CRLF may lack */

	(void)state;
	for (size_t n = 0; n < enough; n++)
		assert_nothing(post_form((struct span) { whole.p, n }), 400,
			       "incomplete-body");
	assert_int_equal(post_form((struct span) { whole.p, enough }), 201);
	assert_stored(2);
}

static void a_body_shorter_than_announced_leaves_nothing(void **state)
{
	const struct span form = SPAN(TWO_FILES), raw = SPAN(HELLO);
	char length[16];

	(void)state;
	(void)snprintf(length, sizeof(length), "%zu", form.len);
	for (size_t n = 0; n < form.len; n++) {
		begin_form((struct span) { form.p, n }, 11);
		memory_set(&g.memory, "CONTENT_LENGTH", length);
		assert_nothing(gateway_answer(&g, handle_upload, SPAN("")), 400,
			       "incomplete-body");
	}
	(void)snprintf(length, sizeof(length), "%zu", raw.len);
	for (size_t n = 0; n < raw.len; n++) {
		begin_raw("name=a", (struct span) { raw.p, n });
		memory_set(&g.memory, "CONTENT_LENGTH", length);
		assert_nothing(gateway_answer(&g, handle_upload, SPAN("")), 400,
			       "incomplete-body");
	}
}

static void a_connection_that_breaks_leaves_nothing(void **state)
{
	const struct span form = SPAN(TWO_FILES), raw = SPAN(HELLO);

	(void)state;
	for (size_t n = 0; n < form.len; n++) {
		begin_form(form, 1);
		g.memory.read_breaks = (int64_t)n;
		(void)gateway_answer(&g, handle_upload, SPAN(""));
		assert_err(g.e, ERR_CLOSED);
		assert_int_equal(folder_files(g.dir), 0);
	}
	for (size_t n = 0; n < raw.len; n++) {
		begin_raw("name=a", raw);
		g.memory.piece = 1;
		g.memory.read_breaks = (int64_t)n;
		(void)gateway_answer(&g, handle_upload, SPAN(""));
		assert_err(g.e, ERR_CLOSED);
		assert_int_equal(folder_files(g.dir), 0);
	}
	assert_int_equal(file_table_rows(db), 0);
}

static void a_file_of_unknown_length_is_refused(void **state)
{
	(void)state;
	/* its end could be the client's end */
	begin_raw("name=a", SPAN("x"));
	memory_set(&g.memory, "CONTENT_LENGTH", NULL);
	assert_nothing(gateway_answer(&g, handle_upload, SPAN("")), 411,
		       "length-required");
	/* a form has an end of its own */
	begin_form(SPAN(TWO_FILES), 100);
	memory_set(&g.memory, "CONTENT_LENGTH", NULL);
	assert_int_equal(gateway_answer(&g, handle_upload, SPAN("")), 201);
	assert_stored(2);
}

static void files_stay_if_the_client_disconnects_before_the_response(
	void **state)
{
	(void)state;
	begin_form(SPAN(TWO_FILES), 100);
	g.memory.write_breaks = 0;
	(void)gateway_answer(&g, handle_upload, SPAN(""));
	assert_err(g.e, ERR_CLOSED);
	assert_stored(2);
}

/* --- one bad part, and none is stored ------------------------------------- */

static void a_second_file_that_is_refused_removes_the_first(void **state)
{
	(void)state;
#define AFTER_ONE FILE_PART("one.txt") "first\r\n"
	assert_nothing(post_form(SPAN(AFTER_ONE FILE_PART("..") "x\r\n--B--")),
		       422, "invalid-value");
	assert_nothing(
		post_form(SPAN(AFTER_ONE FILE_PART("a\0b") "x\r\n--B--")), 422,
		"invalid-value");
	assert_nothing(post_form(SPAN(AFTER_ONE "--B\r\nnonsense\r\n\r\nx\r\n"
						"--B--")),
		       400, "bad-request");
	assert_nothing(post_form(SPAN(AFTER_ONE "--Bx\r\n")), 400,
		       "bad-request");
	g.app.max_upload = 5;
	assert_nothing(post_form(SPAN(AFTER_ONE FILE_PART(
			       "two.txt") "123456\r\n--B--")),
		       413, "too-large");
}

static void more_files_than_the_limit_are_refused_together(void **state)
{
	(void)state;
#define ONE FILE_PART("a") "x\r\n"
	assert_nothing(post_form(SPAN(ONE ONE ONE ONE "--B--")), 413,
		       "too-large");
	assert_int_equal(post_form(SPAN(ONE ONE ONE "--B--")), 201);
	assert_stored(GATEWAY_MAX_FILES);
}

static void a_form_without_a_file_is_refused(void **state)
{
	(void)state;
	assert_nothing(post_form(SPAN("--B--\r\n")), 400, "no-file");
	assert_nothing(post_form(SPAN(FILE_PART("") "\r\n--B--")), 400,
		       "no-file");
	assert_nothing(post_form(SPAN("--B\r\nContent-Disposition: form-data; "
				      "name=\"f\"\r\n\r\nx\r\n--B--")),
		       400, "no-file");
	assert_nothing(post_raw("", SPAN("x")), 400, "no-file");
}

static void a_name_that_is_not_allowed_is_refused(void **state)
{
	(void)state;
	assert_nothing(post_raw("name=", SPAN("x")), 422, "invalid-value");
	assert_nothing(post_raw("name=a%00b", SPAN("x")), 422, "invalid-value");
	assert_nothing(post_raw("name=%zz", SPAN("x")), 400, "bad-request");
	assert_nothing(put(SPAN(".."), SPAN("x")), 422, "invalid-value");
	assert_nothing(put(SPAN("a/"), SPAN("x")), 422, "invalid-value");
	assert_nothing(put(SPAN("\xff"), SPAN("x")), 422, "invalid-value");
}

/* --- digests -------------------------------------------------------------- */

static void a_digest_that_matches_is_accepted(void **state)
{
	(void)state;
	assert_int_equal(post_raw("name=a&sha256=" HELLO_HEX, SPAN(HELLO)),
			 201);
	begin_raw("name=a", SPAN(HELLO));
	memory_set(&g.memory, "HTTP_REPR_DIGEST", HELLO_B64);
	assert_int_equal(gateway_answer(&g, handle_upload, SPAN("")), 201);
	begin_raw("name=a", SPAN(HELLO));
	memory_set(&g.memory, "HTTP_CONTENT_DIGEST", HELLO_B64);
	assert_int_equal(gateway_answer(&g, handle_upload, SPAN("")), 201);
	assert_stored(3);
}

static void bytes_that_do_not_match_their_digest_are_not_stored(void **state)
{
	static const char *const fields[] = { "HTTP_REPR_DIGEST",
					      "HTTP_CONTENT_DIGEST" };

	(void)state;
	assert_nothing(post_raw("name=a&sha256=" HELLO_HEX, SPAN("hello")), 422,
		       "digest-mismatch");
	for (size_t i = 0; i < COUNT(fields); i++) {
		begin_raw("name=a", SPAN("hello"));
		memory_set(&g.memory, fields[i], HELLO_B64);
		assert_nothing(gateway_answer(&g, handle_upload, SPAN("")), 422,
			       "digest-mismatch");
	}
}

static void a_malformed_digest_is_refused(void **state)
{
	(void)state;
	assert_nothing(post_raw("name=a&sha256=", SPAN("x")), 400,
		       "bad-request");
	assert_nothing(post_raw("name=a&sha256=" HELLO_HEX "00", SPAN("x")),
		       400, "bad-request");
	begin_raw("name=a", SPAN("x"));
	memory_set(&g.memory, "HTTP_REPR_DIGEST", "sha-256=:AAAA:");
	assert_nothing(gateway_answer(&g, handle_upload, SPAN("")), 400,
		       "bad-request");
}

static void every_digest_of_the_request_is_checked(void **state)
{
	/* of what a body carries, two that differ cannot both be right */
	(void)state;
	begin_raw("name=a&sha256=" HELLO_HEX, SPAN(HELLO));
	memory_set(&g.memory, "HTTP_REPR_DIGEST",
		   "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:");
	assert_nothing(gateway_answer(&g, handle_upload, SPAN("")), 422,
		       "digest-mismatch");
	begin_raw("name=a", SPAN(HELLO));
	memory_set(&g.memory, "HTTP_REPR_DIGEST", HELLO_B64);
	memory_set(&g.memory, "HTTP_CONTENT_DIGEST",
		   "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:");
	assert_nothing(gateway_answer(&g, handle_upload, SPAN("")), 422,
		       "digest-mismatch");
}

/* --- when something is unavailable ---------------------------------------- */

static void bytes_stay_and_the_response_is_503_without_a_database(void **state)
{
	struct db *away = gateway_no_database();

	(void)state;
	gateway_use(&g, away);
	admitted_at = "1";
	assert_int_equal(put(SPAN("a"), SPAN("x")), 503);
	assert_true(gateway_said(&g, "\"urn:gatehouse:unavailable\""));
	assert_span(memory_header(&g.memory, "Retry-After"), "1");
	assert_false(memory_has_header(&g.memory, "Location"));
	/* a row could be there: what is not known is left to gc */
	assert_int_equal(gateway_objects(&g), 1);
	assert_int_equal(post_form(SPAN(TWO_FILES)), 503);
	assert_int_equal(gateway_objects(&g), 3);
	assert_int_equal(gateway_unfinished(&g), 0);
	db_close(away);
}

static void no_byte_is_stored_if_the_room_cannot_be_checked(void **state)
{
	struct db *away = gateway_no_database();

	(void)state;
	gateway_use(&g, away);
	assert_int_equal(put(SPAN("a"), SPAN("x")), 503);
	assert_int_equal(post_form(SPAN(TWO_FILES)), 503);
	assert_int_equal(folder_files(g.dir), 0);
	db_close(away);
}

static void an_authorizer_reads_no_byte_and_stores_nothing(void **state)
{
	(void)state;
	gateway_request(&g, "PUT", "/upload/x", "");
	memory_set(&g.memory, "FCGI_ROLE", "AUTHORIZER");
	memory_set(&g.memory, "HTTP_CONTENT_LENGTH", "2000");
	(void)gateway_answer(&g, handle_upload_named, SPAN("a"));
	assert_ok(g.e);
	assert_false(g.rs.started);
	gateway_request(&g, "PUT", "/upload/x", "");
	memory_set(&g.memory, "FCGI_ROLE", "AUTHORIZER");
	memory_set(&g.memory, "HTTP_CONTENT_LENGTH", "10001");
	assert_int_equal(gateway_answer(&g, handle_upload_named, SPAN("a")),
			 413);
	assert_int_equal(folder_files(g.dir), 0);
	assert_int_equal(file_table_rows(db), 0);
}

static void a_database_that_refuses_the_row_leaves_no_bytes(void **state)
{
	(void)state;
	assert_err(
		db_change(db, "RENAME TABLE file TO elsewhere", DB_NONE, NULL),
		ERR_NOT_FOUND);
	assert_int_equal(post_form(SPAN(TWO_FILES)), 500);
	assert_int_equal(put(SPAN("a"), SPAN("x")), 500);
	assert_err(
		db_change(db, "RENAME TABLE elsewhere TO file", DB_NONE, NULL),
		ERR_NOT_FOUND);
	assert_true(gateway_said(&g, "\"urn:gatehouse:internal-error\""));
	/* what was wrong is for the operator alone */
	assert_contains(g.rs.why.text, "doesn't exist");
	assert_int_equal(gateway_find(&g, "exist"),
			 memory_answer(&g.memory).len);
	assert_nothing(500, 500, "internal-error");
}

/* How many statements that insert a file wait */
static int64_t inserts_waiting(void)
{
	int64_t n = -1;

	assert_ok(db_row(db,
			 "SELECT COUNT(*) FROM "
			 "information_schema.processlist"
			 " WHERE info LIKE 'INSERT INTO file%'",
			 DB_NONE, DB_OUT(db_to_int(&n)), NULL));
	return n;
}

static struct db_conn *lock_files(void)
{
	struct db_conn *c;

	assert_ok(db_begin(db, &c, NULL));
	assert_err(db_tx_change(c, "LOCK TABLES file READ", DB_NONE, NULL),
		   ERR_NOT_FOUND);
	return c;
}

static void unlock_files(struct db_conn *c)
{
	assert_err(db_tx_change(c, "UNLOCK TABLES", DB_NONE, NULL),
		   ERR_NOT_FOUND);
	db_rollback(c);
}

static void a_row_that_waits_too_long_for_a_lock_is_not_written(void **state)
{
	struct db *brief = mariadb_pool_for(1, 1);
	struct db_conn *c = lock_files();

	(void)state;
	gateway_use(&g, brief);
	/* the server ends the statement, so the bytes are not needed */
	assert_int_equal(put(SPAN("a"), SPAN("x")), 503);
	unlock_files(c);
	gateway_use(&g, db);
	db_close(brief);
	assert_int_equal(inserts_waiting(), 0);
	assert_int_equal(gateway_objects(&g), 0);
	assert_int_equal(file_table_rows(db), 0);
}

static void *stop_server(void *arg)
{
	(void)arg;
	while (inserts_waiting() == 0)
		sleep_ms(10);
	mariadb_signal(SIGSTOP);
	db_thread_end();
	return NULL;
}

static void a_row_without_an_answer_may_have_been_written(void **state)
{
	struct db *brief = mariadb_pool_for(1, 1);
	struct db_conn *c = lock_files();
	pthread_t thread;

	(void)state;
	gateway_use(&g, brief);
	assert_int_equal(pthread_create(&thread, NULL, stop_server, NULL), 0);
	assert_int_equal(put(SPAN("a"), SPAN("x")), 503);
	assert_int_equal(pthread_join(thread, NULL), 0);
	mariadb_signal(SIGCONT);
	unlock_files(c);
	/* the row may come after all: its bytes are there */
	while (inserts_waiting() > 0)
		sleep_ms(10);
	gateway_use(&g, db);
	db_close(brief);
	assert_int_equal(gateway_objects(&g), 1);
}

/* Reads as memory does, but when half the body is read all objects are removed,
 * as by a gc on a machine that does not see the locks */
static enum err (*read_on)(struct transport *t, struct span *chunk);

static enum err lose(void *arg, const struct store_item *item)
{
	(void)arg;
	return item->kind == STORE_OBJECT
		       ? store_remove(g.app.store, item->id, NULL)
		       : ERR_OK;
}

static enum err read_and_lose(struct transport *t, struct span *chunk)
{
	struct memory *m = (struct memory *)t;
	enum err e = read_on(t, chunk);

	/* the first file is in the store, the second under way */
	if (m->read > m->body.len - 15)
		assert_ok(store_walk(g.app.store, lose, NULL, NULL));
	return e;
}

static void a_file_that_vanished_from_the_store_gets_no_201(void **state)
{
	struct transport_ops ops;

	(void)state;
	begin_form(SPAN(TWO_FILES), 1);
	ops = *g.memory.base.ops;
	read_on = ops.read;
	ops.read = read_and_lose;
	g.memory.base.ops = &ops;
	assert_nothing(gateway_answer(&g, handle_upload, SPAN("")), 500,
		       "internal-error");
}

static int post_two_files(void)
{
	return post_form(SPAN(TWO_FILES));
}

static int put_one_file(void)
{
	return put(SPAN("a"), SPAN("x"));
}

static void a_response_without_memory_is_an_error_not_a_shorter_list(
	void **state)
{
	(void)state;
	assert_survives_no_memory(post_two_files, 201);
	assert_survives_no_memory(put_one_file, 201);
}

static void a_store_that_is_missing_is_a_server_error(void **state)
{
	char path[FOLDER_PATH_MAX + 16];

	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		(void)snprintf(path, sizeof(path), "%s/objects/%02x", g.dir, i);
		assert_int_equal(rmdir(path), 0);
	}
	(void)snprintf(path, sizeof(path), "%s/objects", g.dir);
	assert_int_equal(rmdir(path), 0);
	assert_nothing(put(SPAN("a"), SPAN("x")), 500, "internal-error");
	assert_nothing(post_form(SPAN(TWO_FILES)), 500, "internal-error");
}

/* --- ended sessions, and API tokens --------------------------------------- */

#define API "api-token-of-user-0042"
#define SECRET "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

static void api_token(const char *scope)
{
	sessions_put(db, &(struct session) { .user = GATEWAY_USER,
					     .id = API,
					     .secret = SECRET,
					     .scope = scope });
	g.api = API;
	g.secret = SECRET;
}

/* Every kind of upload is refused */
static void assert_kept_out(int status, const char *slug)
{
	const int got[] = { put(SPAN("a"), SPAN("x")),
			    post_raw("name=a", SPAN(HELLO)),
			    post_form(SPAN(TWO_FILES)) };

	for (size_t i = 0; i < COUNT(got); i++)
		assert_int_equal(got[i], status);
	assert_true(gateway_said(&g, slug));
	assert_int_equal(folder_files(g.dir), 0);
	assert_int_equal(file_table_rows(db), 0);
}

static void a_session_that_has_ended_leaves_no_row_and_no_byte(void **state)
{
	(void)state;
	sessions_revoke(db, session_of(GATEWAY_USER));
	assert_kept_out(401, "urn:gatehouse:invalid-token");
	sessions_put(db, &(struct session) { .user = GATEWAY_USER,
					     .expires_at = GATEWAY_NOW });
	assert_kept_out(401, "urn:gatehouse:invalid-token");
	sessions_put(db, &(struct session) { .user = GATEWAY_USER });
	sessions_disable(db, GATEWAY_USER, true);
	assert_kept_out(401, "urn:gatehouse:invalid-token");
}

/* Logs the user out when half of the body has been read */
static enum err read_and_log_out(struct transport *t, struct span *chunk)
{
	struct memory *m = (struct memory *)t;
	enum err e = read_on(t, chunk);

	if (m->read > m->body.len / 2)
		sessions_revoke(db, session_of(GATEWAY_USER));
	return e;
}

static void a_session_that_ends_during_the_upload_leaves_nothing(void **state)
{
	struct transport_ops ops;

	(void)state;
	begin_form(SPAN(TWO_FILES), 1);
	ops = *g.memory.base.ops;
	read_on = ops.read;
	ops.read = read_and_log_out;
	g.memory.base.ops = &ops;
	assert_nothing(gateway_answer(&g, handle_upload, SPAN("")), 401,
		       "invalid-token");
}

static void an_api_token_may_upload(void **state)
{
	(void)state;
	api_token("files:write");
	assert_int_equal(put(SPAN("a"), SPAN("x")), 201);
	assert_int_equal(post_raw("name=a", SPAN("x")), 201);
	assert_int_equal(post_form(SPAN(TWO_FILES)), 201);
	assert_stored(4);
	assert_int_equal(g.asked.claims.user_id, GATEWAY_USER);
	assert_int_equal(session_last_used(db, API), GATEWAY_NOW);
}

static void an_unknown_api_token_is_refused_before_a_byte_is_read(void **state)
{
	(void)state;
	api_token("files:write");
	g.secret = "wrong";
	assert_kept_out(401, "urn:gatehouse:invalid-token");
	(void)post_raw("name=a", SPAN(HELLO));
	assert_int_equal(g.memory.read, 0);
	api_token("files:read");
	assert_kept_out(403, "urn:gatehouse:insufficient-scope");
	assert_int_equal(g.memory.read, 0);
	api_token("files:write");
	sessions_revoke(db, API);
	assert_kept_out(401, "urn:gatehouse:invalid-token");
	assert_int_equal(g.memory.read, 0);
}

static void an_admin_s_api_token_may_upload_for_another(void **state)
{
	int64_t owner = 0;

	(void)state;
	api_token("files:write admin");
	assert_nothing(post_raw("name=a&owner=7", SPAN("x")), 403,
		       "insufficient-scope");
	assert_ok(db_change(db, "UPDATE user SET admin = 1 WHERE id = 42",
			    DB_NONE, NULL));
	assert_int_equal(post_raw("name=a&owner=7", SPAN("x")), 201);
	assert_ok(db_row(db, "SELECT owner FROM file", DB_NONE,
			 DB_OUT(db_to_int(&owner)), NULL));
	assert_int_equal(owner, 7);
	file_table_clear(db);
	api_token("files:write");
	assert_int_equal(post_raw("name=a&owner=7", SPAN("x")), 403);
	api_token("admin");
	assert_int_equal(post_raw("name=a&owner=7", SPAN("x")), 403);
	assert_int_equal(file_table_rows(db), 0);
	assert_ok(db_change(db, "UPDATE user SET admin = 0 WHERE id = 42",
			    DB_NONE, NULL));
}

#define UPLOAD(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		UPLOAD(the_files_of_a_form_are_stored_and_listed_in_order),
		UPLOAD(fields_and_empty_file_inputs_are_skipped),
		UPLOAD(a_body_may_be_the_file),
		UPLOAD(the_type_is_decided_by_the_bytes_and_the_claim_is_stored_beside_it),
		UPLOAD(a_file_may_be_as_large_as_the_limit),
		UPLOAD(an_upload_beyond_the_quota_leaves_nothing),
		UPLOAD(a_length_beyond_the_quota_is_refused_unread),
		UPLOAD(a_file_one_byte_over_the_limit_is_too_large),
		UPLOAD(a_file_may_have_an_expiry),
		UPLOAD(an_admin_may_upload_for_another),
		UPLOAD(a_form_that_ends_early_leaves_nothing),
		UPLOAD(a_body_shorter_than_announced_leaves_nothing),
		UPLOAD(a_connection_that_breaks_leaves_nothing),
		UPLOAD(a_file_of_unknown_length_is_refused),
		UPLOAD(files_stay_if_the_client_disconnects_before_the_response),
		UPLOAD(a_second_file_that_is_refused_removes_the_first),
		UPLOAD(more_files_than_the_limit_are_refused_together),
		UPLOAD(a_form_without_a_file_is_refused),
		UPLOAD(a_name_that_is_not_allowed_is_refused),
		UPLOAD(a_digest_that_matches_is_accepted),
		UPLOAD(bytes_that_do_not_match_their_digest_are_not_stored),
		UPLOAD(a_malformed_digest_is_refused),
		UPLOAD(every_digest_of_the_request_is_checked),
		UPLOAD(bytes_stay_and_the_response_is_503_without_a_database),
		UPLOAD(no_byte_is_stored_if_the_room_cannot_be_checked),
		UPLOAD(an_authorizer_reads_no_byte_and_stores_nothing),
		UPLOAD(a_database_that_refuses_the_row_leaves_no_bytes),
		UPLOAD(a_row_that_waits_too_long_for_a_lock_is_not_written),
		UPLOAD(a_row_without_an_answer_may_have_been_written),
		UPLOAD(a_file_that_vanished_from_the_store_gets_no_201),
		UPLOAD(a_session_that_has_ended_leaves_no_row_and_no_byte),
		UPLOAD(a_session_that_ends_during_the_upload_leaves_nothing),
		UPLOAD(an_api_token_may_upload),
		UPLOAD(an_unknown_api_token_is_refused_before_a_byte_is_read),
		UPLOAD(an_admin_s_api_token_may_upload_for_another),
		UPLOAD(a_response_without_memory_is_an_error_not_a_shorter_list),
		UPLOAD(a_store_that_is_missing_is_a_server_error),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, open_db, close_db);
}
