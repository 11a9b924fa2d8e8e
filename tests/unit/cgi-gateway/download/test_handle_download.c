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
static void keep(const char *name, const char *type, struct span bytes)
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

/* Content-Length is what came, and it is `want` */
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

/* --- the whole
 * ----------------------------------------------------------------------- */

static void the_bytes_come_with_what_is_known_of_them(void **state)
{
	(void)state;
	keep("a b.txt", "text/plain", SPAN("{\"hello\": \"world\"}\n"));
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

static void a_large_file_comes_whole(void **state)
{
	(void)state;
	keep("large", "application/octet-stream",
	     (struct span) { large, LARGE });
	assert_int_equal(get(), 200);
	assert_bytes((struct span) { large, LARGE });
}

static void an_empty_file_is_an_answer(void **state)
{
	(void)state;
	keep("empty", "text/plain", SPAN(""));
	assert_int_equal(get(), 200);
	assert_bytes(SPAN(""));
}

static void head_tells_the_same_without_the_bytes(void **state)
{
	(void)state;
	keep("a", "text/plain", SPAN("0123456789"));
	begin("HEAD", "");
	memory_set(&g.memory, "HTTP_RANGE", "bytes=0-1");
	assert_int_equal(answer(), 200);
	assert_span(memory_header(&g.memory, "Content-Length"), "10");
	assert_true(memory_has_header(&g.memory, "ETag"));
	assert_int_equal(memory_answer(&g.memory).len, 0);
}

/* As if the row were from when nobody looked at bytes */
static void forget_claimed_type(void)
{
	assert_ok(db_change(db, "UPDATE file SET claimed_type = NULL", DB_NONE,
			    NULL));
}

static void only_what_is_harmless_is_shown(void **state)
{
	static const char *const not_shown[] = { "text/html", "image/svg+xml",
						 "application/pdf",
						 "text/xml" };

	(void)state;
	keep("a.png", "image/png", SPAN("x"));
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
		keep("a", not_shown[i], SPAN("x"));
		begin("GET", "inline=1");
		assert_int_equal(answer(), 200);
		assert_span(memory_header(&g.memory, "Content-Disposition"),
			    "attachment; filename=\"a\"");
	}
}

static void a_type_that_is_only_a_client_s_word_is_not_shown(void **state)
{
	(void)state;
	keep("a.png", "image/png", SPAN("<script>alert(1)</script>"));
	forget_claimed_type();
	begin("GET", "inline=1");
	assert_int_equal(answer(), 200);
	assert_span(memory_header(&g.memory, "Content-Disposition"),
		    "attachment; filename=\"a.png\"");
}

/* --- ranges and conditions
 * ---------------------------------------------------------------- */

static void a_range_is_a_part_of_the_bytes(void **state)
{
	(void)state;
	keep("a", "text/plain", SPAN("0123456789"));
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
	keep("large", "text/plain", (struct span) { large, LARGE });
	assert_int_equal(get_range("bytes=1-299998"), 206);
	assert_bytes((struct span) { large + 1, LARGE - 2 });
}

static void a_range_that_is_not_there_tells_the_size(void **state)
{
	(void)state;
	keep("a", "text/plain", SPAN("0123456789"));
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

static void what_the_client_has_is_not_sent_again(void **state)
{
	static const char etag[] = "\"84d89877f0d4041efb6bf91a16f0248f2fd573e6"
				   "af05c19f96bedb9f882f7882\"";

	(void)state;
	keep("a", "text/plain", SPAN("0123456789"));
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

static void a_range_of_another_file_is_not_sent(void **state)
{
	(void)state;
	keep("a", "text/plain", SPAN("0123456789"));
	begin("GET", "");
	memory_set(&g.memory, "HTTP_RANGE", "bytes=5-");
	memory_set(&g.memory, "HTTP_IF_RANGE", "\"another\"");
	assert_int_equal(answer(), 200);
	assert_bytes(SPAN("0123456789"));
}

/* --- by the server
 * ------------------------------------------------------------------------- */

static void the_server_is_told_where_the_bytes_are(void **state)
{
	(void)state;
	g.app.by_server = true;
	keep("a", "text/plain", SPAN("0123456789"));
	begin("GET", "");
	memory_set(&g.memory, "HTTP_RANGE", "bytes=2-4");
	assert_int_equal(answer(), 200);
	assert_span_str(memory_header(&g.memory, "X-Sendfile"), object_path());
	assert_true(memory_has_header(&g.memory, "ETag"));
	/* the length is the server's to tell */
	assert_false(memory_has_header(&g.memory, "Content-Length"));
	assert_int_equal(memory_answer(&g.memory).len, 0);
}

static void nginx_is_told_an_address(void **state)
{
	(void)state;
	g.app.by_server = g.app.by_address = true;
	keep("a", "text/plain", SPAN("0123456789"));
	begin("GET", "");
	memory_set(&g.memory, "HTTP_RANGE", "bytes=2-4");
	assert_int_equal(answer(), 200);
	assert_span_str(memory_header(&g.memory, "X-Accel-Redirect"),
			"/.gatehouse/objects/ab/"
			"0190b3a2-0000-7000-8000-0000000000ab");
	assert_false(memory_has_header(&g.memory, "X-Sendfile"));
	assert_int_equal(memory_answer(&g.memory).len, 0);
}

static void nginx_does_not_judge_what_it_cannot_see(void **state)
{
	(void)state;
	g.app.by_server = g.app.by_address = true;
	keep("a", "text/plain", SPAN("0123456789"));
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
	memory_set(&g.memory, "HTTP_IF_MATCH", "\"another\"");
	assert_int_equal(answer(), 200);
	assert_bytes(SPAN("0123456789"));
	assert_false(memory_has_header(&g.memory, "X-Accel-Redirect"));
}

static void no_path_is_told_to_a_client(void **state)
{
	(void)state;
	keep("a", "text/plain", SPAN("0123456789"));
	assert_int_equal(get(), 200);
	assert_false(memory_has_header(&g.memory, "X-Sendfile"));
}

/* --- what is not there
 * ------------------------------------------------------------------------ */

static void another_s_and_an_expired_file_are_not_found(void **state)
{
	(void)state;
	keep("a", "text/plain", SPAN("x"));
	g.who.user_id = GATEWAY_OTHER;
	assert_int_equal(get(), 404);
	g.who.user_id = GATEWAY_USER;
	file.expires_at = GATEWAY_NOW;
	assert_ok(files_update(db, gateway_caller(&g), &file, BOTH, NULL));
	assert_int_equal(get(), 404);
	g.now--;
	assert_int_equal(get(), 200);
}

static void an_id_may_stand_in_the_query(void **state)
{
	(void)state;
	keep("a", "text/plain", SPAN("x"));
	begin("GET", "fid=0190b3a2-0000-7000-8000-0000000000ab");
	assert_int_equal(gateway_answer(&g, handle_download, SPAN("")), 200);
	assert_bytes(SPAN("x"));
	begin("GET", "fid=");
	assert_int_equal(gateway_answer(&g, handle_download, SPAN("")), 404);
	begin("GET", "");
	assert_int_equal(gateway_answer(&g, handle_download, SPAN("")), 404);
	begin("GET", "fid=../../etc/passwd");
	assert_int_equal(gateway_answer(&g, handle_download, SPAN("")), 404);
}

static void a_row_without_bytes_is_our_failure(void **state)
{
	(void)state;
	keep("a", "text/plain", SPAN("x"));
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

static void bytes_of_another_size_are_our_failure(void **state)
{
	(void)state;
	keep("a", "text/plain", SPAN("0123456789"));
	assert_int_equal(truncate(object_path(), 9), 0);
	assert_int_equal(get(), 500);
	assert_int_equal(get_range("bytes=0-1"), 500);
	assert_false(memory_has_header(&g.memory, "Content-Range"));
	assert_int_equal(truncate(object_path(), 11), 0);
	assert_int_equal(get(), 500);
}

static void a_client_that_goes_away_ends_the_answer(void **state)
{
	(void)state;
	keep("large", "text/plain", (struct span) { large, LARGE });
	begin("GET", "");
	g.memory.write_breaks = 200000;
	assert_int_equal(answer(), 200);
	assert_err(g.e, ERR_CLOSED);
	assert_true(memory_answer(&g.memory).len < 200000);
	/* nothing is written behind what was sent */
	assert_int_equal(gateway_find(&g, "urn:gatehouse"),
			 memory_answer(&g.memory).len);
}

static void without_a_database_a_download_is_unavailable(void **state)
{
	struct db *away = gateway_no_database();

	(void)state;
	keep("a", "text/plain", SPAN("x"));
	g.app.db = away;
	assert_int_equal(get(), 503);
	assert_span(memory_header(&g.memory, "Retry-After"), "1");
	db_close(away);
}

/* --- whose session has ended, and API tokens
 * ------------------------------------------------------------------------ */

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

static void who_was_logged_out_gets_nothing(void **state)
{
	(void)state;
	keep("a", "text/plain", SPAN("x"));
	sessions_revoke(db, session_of(GATEWAY_USER));
	assert_no_byte(401, "urn:gatehouse:invalid-token");
	sessions_put(db, &(struct session) { .user = GATEWAY_USER,
					     .expires_at = GATEWAY_NOW });
	assert_no_byte(401, "urn:gatehouse:invalid-token");
	sessions_put(db, &(struct session) { .user = GATEWAY_USER });
	sessions_disable(db, GATEWAY_USER, true);
	assert_no_byte(401, "urn:gatehouse:invalid-token");
	/* nor hears that it has not changed */
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
	keep("a", "text/plain", SPAN("0123456789"));
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
		DOWNLOAD(the_bytes_come_with_what_is_known_of_them),
		DOWNLOAD(a_large_file_comes_whole),
		DOWNLOAD(an_empty_file_is_an_answer),
		DOWNLOAD(head_tells_the_same_without_the_bytes),
		DOWNLOAD(only_what_is_harmless_is_shown),
		DOWNLOAD(a_type_that_is_only_a_client_s_word_is_not_shown),
		DOWNLOAD(a_range_is_a_part_of_the_bytes),
		DOWNLOAD(a_range_may_span_many_reads),
		DOWNLOAD(a_range_that_is_not_there_tells_the_size),
		DOWNLOAD(what_the_client_has_is_not_sent_again),
		DOWNLOAD(a_range_of_another_file_is_not_sent),
		DOWNLOAD(the_server_is_told_where_the_bytes_are),
		DOWNLOAD(nginx_is_told_an_address),
		DOWNLOAD(nginx_does_not_judge_what_it_cannot_see),
		DOWNLOAD(no_path_is_told_to_a_client),
		DOWNLOAD(another_s_and_an_expired_file_are_not_found),
		DOWNLOAD(an_id_may_stand_in_the_query),
		DOWNLOAD(a_row_without_bytes_is_our_failure),
		DOWNLOAD(bytes_of_another_size_are_our_failure),
		DOWNLOAD(a_client_that_goes_away_ends_the_answer),
		DOWNLOAD(who_was_logged_out_gets_nothing),
		DOWNLOAD(an_api_token_downloads_with_its_secret_and_scope),
		DOWNLOAD(without_a_database_a_download_is_unavailable),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, open_db, close_db);
}
