#include "common/codec/encode.h"
#include "tests/unit/cgi-gateway/gateway.h"

enum { LARGE = 300000 }; /* bytes; more than two reads of the handler */

static struct db *db;
static struct gateway g;
static char large[LARGE];
static struct file file; /* the last that was kept */

static int open_db(void **state)
{
	(void)state;
	db = mariadb_pool(1);
	gateway_people(db);
	for (size_t i = 0; i < LARGE; i++)
		large[i] = (char)(i * 7 + i / 251);
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

/* A file of the user, in the store and in the table */
static void store_file(const char *name, const char *type, struct span bytes)
{
	struct store_writer *w = NULL;

	file = (struct file) {
		.id = "0190b3a2-0000-7000-8000-0000000000ab",
		.owner = GATEWAY_USER,
		.size = (int64_t)bytes.len,
		.created_at = 784111777, /* RFC 9110's Sun, 06 Nov 1994 */
	};
	(void)snprintf(file.name, sizeof(file.name), "%s", name);
	(void)snprintf(file.type, sizeof(file.type), "%s", type);
	(void)snprintf(file.claimed_type, sizeof(file.claimed_type), "%s",
		       type);
	sha256_of(bytes, file.sha256);
	(void)!store_remove(g.app.store, file.id, NULL);
	assert_ok(store_writer_open(g.app.store, file.id, &w, NULL));
	assert_ok(store_writer_write(w, bytes, NULL));
	assert_ok(store_writer_commit(w, NULL));
	assert_ok(gateway_add(&g, &file, 1));
}

static const char *object_path(void)
{
	static char path[STORE_PATH_MAX];

	assert_ok(store_path(g.app.store, file.id, path));
	return path;
}

static void begin(const char *method, const char *query)
{
	gateway_request(&g, method, "/download/x", query);
}

static int answer(void)
{
	return gateway_answer(&g, handle_download, span_of(file.id));
}

static int get(void)
{
	begin("GET", "");
	return answer();
}

static int get_range(const char *range)
{
	begin("GET", "");
	memory_set(&g.memory, "HTTP_RANGE", range);
	return answer();
}

/* Content-Length and the received bytes are both `want` */
static void assert_bytes(struct span want)
{
	int64_t n = -1;

	assert_true(
		span_to_int(memory_header(&g.memory, "Content-Length"), &n));
	assert_int_equal(n, want.len);
	assert_int_equal(memory_answer(&g.memory).len, want.len);
	if (want.len > 0)
		assert_memory_equal(memory_answer(&g.memory).p, want.p,
				    want.len);
}

/* --- the whole ------------------------------------------------------------ */

static void a_download_has_the_bytes_and_their_header_fields(void **state)
{
	(void)state;
	store_file("a b.txt", "text/plain", SPAN("{\"hello\": \"world\"}\n"));
	assert_int_equal(get(), 200);
	assert_bytes(SPAN("{\"hello\": \"world\"}\n"));
	assert_span(memory_header(&g.memory, "Content-Type"), "text/plain");
	assert_span(memory_header(&g.memory, "ETag"),
		    "\"44aff4ab2d7c3250525675a08f0cfa959116"
		    "8cffe51791c5f5bbc417c15a6c38\"");
	assert_span(memory_header(&g.memory, "Repr-Digest"),
		    "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:");
	assert_span(memory_header(&g.memory, "Content-Digest"),
		    "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:");
	assert_span(memory_header(&g.memory, "Last-Modified"),
		    "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_span(memory_header(&g.memory, "Content-Disposition"),
		    "attachment; filename=\"a b.txt\"");
	assert_span(memory_header(&g.memory, "X-Content-Type-Options"),
		    "nosniff");
	assert_span(memory_header(&g.memory, "Cache-Control"),
		    "private, no-cache");
	assert_span(memory_header(&g.memory, "Accept-Ranges"), "bytes");
	assert_true(span_has_prefix(
		memory_header(&g.memory, "Content-Security-Policy"),
		SPAN("sandbox;")));
}

static void a_large_file_is_sent_whole(void **state)
{
	(void)state;
	store_file("large", "application/octet-stream",
		   (struct span) { large, LARGE });
	assert_int_equal(get(), 200);
	assert_bytes((struct span) { large, LARGE });
}

static void an_empty_file_is_sent(void **state)
{
	(void)state;
	store_file("empty", "text/plain", SPAN(""));
	assert_int_equal(get(), 200);
	assert_bytes(SPAN(""));
}

static void a_head_request_gets_the_same_headers_without_the_bytes(void **state)
{
	(void)state;
	store_file("a", "text/plain", SPAN("0123456789"));
	begin("HEAD", "");
	memory_set(&g.memory, "HTTP_RANGE", "bytes=0-1");
	assert_int_equal(answer(), 200);
	assert_span(memory_header(&g.memory, "Content-Length"), "10");
	assert_true(memory_has_header(&g.memory, "ETag"));
	assert_int_equal(memory_answer(&g.memory).len, 0);
}

/* As in a row of an older version, whose bytes were not examined */
static void forget_claimed_type(void)
{
	assert_ok(db_change(db, "UPDATE file SET claimed_type = NULL", DB_NONE,
			    NULL));
}

static void only_an_inert_type_is_shown_inline(void **state)
{
	static const char *const not_shown[] = { "text/html", "image/svg+xml",
						 "application/pdf",
						 "text/xml" };

	(void)state;
	store_file("a.png", "image/png", SPAN("x"));
	begin("GET", "inline=1");
	assert_int_equal(answer(), 200);
	assert_span(memory_header(&g.memory, "Content-Disposition"),
		    "inline; filename=\"a.png\"");
	begin("GET", "inline=0");
	assert_int_equal(answer(), 200);
	assert_span(memory_header(&g.memory, "Content-Disposition"),
		    "attachment; filename=\"a.png\"");
	for (size_t i = 0; i < COUNT(not_shown); i++) {
		file_table_clear(db);
		store_file("a", not_shown[i], SPAN("x"));
		begin("GET", "inline=1");
		assert_int_equal(answer(), 200);
		assert_span(memory_header(&g.memory, "Content-Disposition"),
			    "attachment; filename=\"a\"");
	}
}

static void a_type_that_was_only_claimed_is_not_shown_inline(void **state)
{
	(void)state;
	store_file("a.png", "image/png", SPAN("<script>alert(1)</script>"));
	forget_claimed_type();
	begin("GET", "inline=1");
	assert_int_equal(answer(), 200);
	assert_span(memory_header(&g.memory, "Content-Disposition"),
		    "attachment; filename=\"a.png\"");
}

/* --- ranges and conditions ------------------------------------------------ */

static void a_range_is_a_part_of_the_bytes(void **state)
{
	(void)state;
	store_file("a", "text/plain", SPAN("0123456789"));
	assert_int_equal(get_range("bytes=2-4"), 206);
	assert_bytes(SPAN("234"));
	assert_span(memory_header(&g.memory, "Content-Range"), "bytes 2-4/10");
	assert_int_equal(get_range("bytes=-1"), 206);
	assert_bytes(SPAN("9"));
	assert_int_equal(get_range("bytes=0-0,2-3"), 200);
	assert_bytes(SPAN("0123456789"));
	assert_false(memory_has_header(&g.memory, "Content-Range"));
}

static void a_range_may_span_many_reads(void **state)
{
	(void)state;
	store_file("large", "text/plain", (struct span) { large, LARGE });
	assert_int_equal(get_range("bytes=1-299998"), 206);
	assert_bytes((struct span) { large + 1, LARGE - 2 });
}

static void a_range_outside_the_file_is_a_416_with_the_size(void **state)
{
	(void)state;
	store_file("a", "text/plain", SPAN("0123456789"));
	assert_int_equal(get_range("bytes=10-"), 416);
	assert_span(memory_header(&g.memory, "Content-Range"), "bytes */10");
	assert_true(gateway_said(&g, "range-not-satisfiable"));
	/* the problem is not the file */
	assert_span(memory_header(&g.memory, "Content-Type"),
		    "application/problem+json");
	assert_span(memory_header(&g.memory, "Cache-Control"), "no-store");
	assert_false(memory_has_header(&g.memory, "ETag"));
	assert_false(memory_has_header(&g.memory, "Content-Disposition"));
}

static void a_file_that_the_client_has_is_a_304(void **state)
{
	static const char etag[] = "\"84d89877f0d4041efb6bf91a16f0248f2fd573e6"
				   "af05c19f96bedb9f882f7882\"";

	(void)state;
	store_file("a", "text/plain", SPAN("0123456789"));
	begin("GET", "");
	memory_set(&g.memory, "HTTP_IF_NONE_MATCH", etag);
	/* 13.2.2: before any range */
	memory_set(&g.memory, "HTTP_RANGE", "bytes=0-1");
	assert_int_equal(answer(), 304);
	assert_int_equal(memory_answer(&g.memory).len, 0);
	assert_span_str(memory_header(&g.memory, "ETag"), etag);
	begin("GET", "");
	memory_set(&g.memory, "HTTP_IF_MODIFIED_SINCE",
		   "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_int_equal(answer(), 304);
}

static void a_range_with_another_etag_gets_the_whole_file(void **state)
{
	(void)state;
	store_file("a", "text/plain", SPAN("0123456789"));
	begin("GET", "");
	memory_set(&g.memory, "HTTP_RANGE", "bytes=5-");
	memory_set(&g.memory, "HTTP_IF_RANGE", "\"another\"");
	assert_int_equal(answer(), 200);
	assert_bytes(SPAN("0123456789"));
}

/* --- by the server -------------------------------------------------------- */

static void the_server_in_front_gets_the_path_of_the_bytes(void **state)
{
	(void)state;
	g.app.by_server = true;
	store_file("a", "text/plain", SPAN("0123456789"));
	begin("GET", "");
	memory_set(&g.memory, "HTTP_RANGE", "bytes=2-4");
	assert_int_equal(answer(), 200);
	assert_span_str(memory_header(&g.memory, "X-Sendfile"), object_path());
	assert_true(memory_has_header(&g.memory, "ETag"));
	/* the server in front sets the length */
	assert_false(memory_has_header(&g.memory, "Content-Length"));
	assert_int_equal(memory_answer(&g.memory).len, 0);
}

static void nginx_gets_an_address(void **state)
{
	(void)state;
	g.app.by_server = g.app.by_address = true;
	store_file("a", "text/plain", SPAN("0123456789"));
	begin("GET", "");
	memory_set(&g.memory, "HTTP_RANGE", "bytes=2-4");
	assert_int_equal(answer(), 200);
	assert_span_str(memory_header(&g.memory, "X-Accel-Redirect"),
			"/.gatehouse/objects/ab/"
			"0190b3a2-0000-7000-8000-0000000000ab");
	assert_false(memory_has_header(&g.memory, "X-Sendfile"));
	assert_int_equal(memory_answer(&g.memory).len, 0);
}

static void a_condition_or_invalid_range_is_not_left_to_nginx(void **state)
{
	(void)state;
	g.app.by_server = g.app.by_address = true;
	store_file("a", "text/plain", SPAN("0123456789"));
	begin("GET", "");
	memory_set(&g.memory, "HTTP_IF_NONE_MATCH", "*");
	assert_int_equal(answer(), 304);
	begin("GET", "");
	memory_set(&g.memory, "HTTP_RANGE", "bytes=10-");
	assert_int_equal(answer(), 416);
	begin("GET", "");
	memory_set(&g.memory, "HTTP_RANGE", "bytes=5-1");
	assert_int_equal(answer(), 200);
	assert_bytes(SPAN("0123456789"));
	begin("GET", "");
	memory_set(&g.memory, "HTTP_IF_MATCH", "*");
	assert_int_equal(answer(), 200);
	assert_bytes(SPAN("0123456789"));
	assert_false(memory_has_header(&g.memory, "X-Accel-Redirect"));
	begin("GET", "");
	memory_set(&g.memory, "HTTP_IF_MATCH", "\"another\"");
	assert_int_equal(answer(), 412);
}

/* The response to one more header field; whether lighttpd sends the bytes */
static bool lighttpd_sends(const char *variable, const char *value, int status)
{
	begin("GET", "");
	memory_set(&g.memory, variable, value);
	assert_int_equal(answer(), status);
	return memory_has_header(&g.memory, "X-Sendfile");
}

static void what_lighttpd_understands_differently_is_not_left_to_it(
	void **state)
{
	static const char *const left[] = { "bytes=2-4", "bytes=5-", "bytes=-3",
					    "bytes=0-1, 5-6" };
	static const char *const huge[] = {
		"bytes=2-9223372036854775808",
		"bytes=2-99999999999999999999999",
		"bytes=-9223372036854775808",
		"Bytes=2-4",
	};
	static const char *const dates[] = {
		"Sun, 06 Nov 1994 08:49:37 GMT",
		"Sunday, 06-Nov-94 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994",
	};

	(void)state;
	g.app.by_server = true;
	store_file("a", "text/plain", SPAN("0123456789"));
	for (size_t i = 0; i < COUNT(left); i++)
		assert_true(lighttpd_sends("HTTP_RANGE", left[i], 200));
	for (size_t i = 0; i < COUNT(huge); i++)
		assert_false(lighttpd_sends("HTTP_RANGE", huge[i], 206));
	assert_false(lighttpd_sends("HTTP_RANGE", "bytes=10-", 416));
	assert_span(memory_header(&g.memory, "Content-Range"), "bytes */10");
	assert_false(lighttpd_sends("HTTP_IF_MATCH", "\"another\"", 412));
	assert_false(lighttpd_sends("HTTP_IF_NONE_MATCH", "*", 304));
	assert_true(lighttpd_sends("HTTP_IF_NONE_MATCH", "\"other\"", 200));
	for (size_t i = 0; i < COUNT(dates); i++)
		assert_false(lighttpd_sends("HTTP_IF_MODIFIED_SINCE", dates[i],
					    304));
}

static void a_client_never_gets_a_path(void **state)
{
	(void)state;
	store_file("a", "text/plain", SPAN("0123456789"));
	assert_int_equal(get(), 200);
	assert_false(memory_has_header(&g.memory, "X-Sendfile"));
}

/* --- what is not there ---------------------------------------------------- */

static void a_file_that_has_expired_or_is_another_s_is_not_found(void **state)
{
	(void)state;
	store_file("a", "text/plain", SPAN("x"));
	g.claims.user_id = GATEWAY_OTHER;
	assert_int_equal(get(), 404);
	g.claims.user_id = GATEWAY_USER;
	file.expires_at = GATEWAY_NOW;
	assert_ok(files_update(db, gateway_session(&g), &file, BOTH, NULL));
	assert_int_equal(get(), 404);
	g.now--;
	assert_int_equal(get(), 200);
}

static void an_id_may_be_in_the_query(void **state)
{
	(void)state;
	store_file("a", "text/plain", SPAN("x"));
	begin("GET", "fid=0190b3a2-0000-7000-8000-0000000000ab");
	assert_int_equal(gateway_answer(&g, handle_download, SPAN("")), 200);
	assert_bytes(SPAN("x"));
	begin("GET", "fid=");
	assert_int_equal(gateway_answer(&g, handle_download, SPAN("")), 404);
	begin("GET", "");
	assert_int_equal(gateway_answer(&g, handle_download, SPAN("")), 400);
	begin("GET", "fid=../../etc/passwd");
	assert_int_equal(gateway_answer(&g, handle_download, SPAN("")), 404);
}

static void a_row_without_bytes_is_a_server_error(void **state)
{
	(void)state;
	store_file("a", "text/plain", SPAN("x"));
	assert_ok(store_remove(g.app.store, file.id, NULL));
	for (int by_server = 0; by_server < 2; by_server++) {
		g.app.by_server = by_server == 1;
		assert_int_equal(get(), 500);
		assert_true(gateway_said(&g, "internal-error"));
		assert_contains(g.rs.why.text, file.id);
		assert_false(memory_has_header(&g.memory, "X-Sendfile"));
		assert_false(memory_has_header(&g.memory, "ETag"));
		assert_span(memory_header(&g.memory, "Cache-Control"),
			    "no-store");
	}
}

static void bytes_of_another_size_are_a_server_error(void **state)
{
	(void)state;
	store_file("a", "text/plain", SPAN("0123456789"));
	assert_int_equal(truncate(object_path(), 9), 0);
	assert_int_equal(get(), 500);
	assert_int_equal(get_range("bytes=0-1"), 500);
	assert_false(memory_has_header(&g.memory, "Content-Range"));
	assert_int_equal(truncate(object_path(), 11), 0);
	assert_int_equal(get(), 500);
}

static void a_client_that_disconnects_ends_the_response(void **state)
{
	(void)state;
	store_file("large", "text/plain", (struct span) { large, LARGE });
	begin("GET", "");
	g.memory.write_breaks = 200000;
	assert_int_equal(answer(), 200);
	assert_err(g.e, ERR_CLOSED);
	assert_true(memory_answer(&g.memory).len < 200000);
	/* nothing is written behind what was sent */
	assert_int_equal(gateway_find(&g, "urn:gatehouse"),
			 memory_answer(&g.memory).len);
}

static void a_download_without_a_database_is_unavailable(void **state)
{
	struct db *away = gateway_no_database();

	(void)state;
	store_file("a", "text/plain", SPAN("x"));
	g.app.db = away;
	assert_int_equal(get(), 503);
	assert_span(memory_header(&g.memory, "Retry-After"), "1");
	db_close(away);
}

/* --- ended sessions, and API tokens --------------------------------------- */

#define API "api-token-of-user-0042"
#define SECRET "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

static void assert_no_byte(int status, const char *slug)
{
	for (int by_server = 0; by_server < 2; by_server++) {
		g.app.by_server = by_server == 1;
		assert_int_equal(get(), status);
		assert_true(gateway_said(&g, slug));
		assert_false(memory_has_header(&g.memory, "X-Sendfile"));
		assert_false(memory_has_header(&g.memory, "ETag"));
	}
}

static void a_session_that_has_ended_gets_nothing(void **state)
{
	(void)state;
	store_file("a", "text/plain", SPAN("x"));
	sessions_revoke(db, session_of(GATEWAY_USER));
	assert_no_byte(401, "urn:gatehouse:invalid-token");
	sessions_put(db, &(struct session) { .user = GATEWAY_USER,
					     .expires_at = GATEWAY_NOW });
	assert_no_byte(401, "urn:gatehouse:invalid-token");
	sessions_put(db, &(struct session) { .user = GATEWAY_USER });
	sessions_disable(db, GATEWAY_USER, true);
	assert_no_byte(401, "urn:gatehouse:invalid-token");
	/* nor a 304 */
	begin("GET", "");
	memory_set(&g.memory, "HTTP_IF_NONE_MATCH", "*");
	assert_int_equal(answer(), 401);
	/* nor that an id is none */
	begin("GET", "fid=x");
	assert_int_equal(gateway_answer(&g, handle_download, SPAN("")), 401);
}

static void an_api_token_downloads_with_its_secret_and_scope(void **state)
{
	struct session api = { .user = GATEWAY_USER,
			       .id = API,
			       .secret = SECRET,
			       .scope = "files:read" };

	(void)state;
	store_file("a", "text/plain", SPAN("0123456789"));
	sessions_put(db, &api);
	g.api = API;
	g.secret = SECRET;
	assert_int_equal(get(), 200);
	assert_bytes(SPAN("0123456789"));
	assert_true(g.asked.authenticated);
	assert_string_equal(g.asked.claims.email, "ann@example.org");
	assert_int_equal(session_last_used(db, API), GATEWAY_NOW);
	g.now += 299;
	assert_int_equal(get(), 200);
	assert_int_equal(session_last_used(db, API), GATEWAY_NOW);
	g.secret = "wrong";
	assert_no_byte(401, "urn:gatehouse:invalid-token");
	g.secret = SECRET;
	api.scope = "files:write";
	sessions_put(db, &api);
	assert_no_byte(403, "urn:gatehouse:insufficient-scope");
	sessions_revoke(db, API);
	assert_no_byte(401, "urn:gatehouse:invalid-token");
}

#define DOWNLOAD(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		DOWNLOAD(a_download_has_the_bytes_and_their_header_fields),
		DOWNLOAD(a_large_file_is_sent_whole),
		DOWNLOAD(an_empty_file_is_sent),
		DOWNLOAD(
			a_head_request_gets_the_same_headers_without_the_bytes),
		DOWNLOAD(only_an_inert_type_is_shown_inline),
		DOWNLOAD(a_type_that_was_only_claimed_is_not_shown_inline),
		DOWNLOAD(a_range_is_a_part_of_the_bytes),
		DOWNLOAD(a_range_may_span_many_reads),
		DOWNLOAD(a_range_outside_the_file_is_a_416_with_the_size),
		DOWNLOAD(a_file_that_the_client_has_is_a_304),
		DOWNLOAD(a_range_with_another_etag_gets_the_whole_file),
		DOWNLOAD(the_server_in_front_gets_the_path_of_the_bytes),
		DOWNLOAD(nginx_gets_an_address),
		DOWNLOAD(a_condition_or_invalid_range_is_not_left_to_nginx),
		DOWNLOAD(
			what_lighttpd_understands_differently_is_not_left_to_it),
		DOWNLOAD(a_client_never_gets_a_path),
		DOWNLOAD(a_file_that_has_expired_or_is_another_s_is_not_found),
		DOWNLOAD(an_id_may_be_in_the_query),
		DOWNLOAD(a_row_without_bytes_is_a_server_error),
		DOWNLOAD(bytes_of_another_size_are_a_server_error),
		DOWNLOAD(a_client_that_disconnects_ends_the_response),
		DOWNLOAD(a_session_that_has_ended_gets_nothing),
		DOWNLOAD(an_api_token_downloads_with_its_secret_and_scope),
		DOWNLOAD(a_download_without_a_database_is_unavailable),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, open_db, close_db);
}
