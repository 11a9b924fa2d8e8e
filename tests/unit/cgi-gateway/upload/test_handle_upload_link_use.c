#include "cgi-gateway/tables/upload_links.h"
#include "cgi-gateway/upload/upload.h"
#include "tests/unit/cgi-gateway/gateway.h"
#include "tests/unit/cgi-gateway/json_memory.h"

#define FILE_PART(name)                                                       \
	"--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"" name \
	"\"\r\n\r\n"
#define TWO_FILES \
	FILE_PART("one") "first\r\n" FILE_PART("two") "second\r\n--B--\r\n"
#define ABC_HEX                                                  \
	"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff" \
	"61f20015ad"

static struct db *db;
static struct gateway g;
static char token[LINK_TOKEN_LEN + 1];
static struct upload_link made;

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
	/* Who uploads shows no token at all */
	g.claims = (struct claims) { .user_id = 0 };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	gateway_close(&g);
	return 0;
}

/* A link of GATEWAY_USER, whose secret is in `token` */
static void hand_out(int64_t files, int64_t bytes, int64_t file_bytes)
{
	made = (struct upload_link) { .name = "Party",
				      .limits = { bytes, files },
				      .max_file_bytes = file_bytes,
				      .expires_at = GATEWAY_NOW + 60 };
	assert_ok(upload_links_add(db, gateway_session(&g), 0, &made, token,
				   NULL));
}

static void revoke(void)
{
	assert_ok(upload_links_revoke(db, gateway_session(&g), 0,
				      span_of(made.id), NULL));
}

static int put(const char *name, struct span body)
{
	char tail[LINK_TOKEN_LEN + 300];

	(void)snprintf(tail, sizeof(tail), "%s/%s", token, name);
	gateway_request(&g, "PUT", "/u/x/y", "");
	memory_body(&g.memory, body, 1);
	return gateway_answer(&g, handle_upload_link_put, span_of(tail));
}

static int post_raw(const char *query, struct span body)
{
	gateway_request(&g, "POST", "/u/x", query);
	memory_set(&g.memory, "CONTENT_TYPE", "text/plain");
	memory_body(&g.memory, body, 1);
	return gateway_answer(&g, handle_upload_link_post, span_of(token));
}

static void begin_form(struct span body)
{
	gateway_request(&g, "POST", "/u/x", "");
	memory_set(&g.memory, "CONTENT_TYPE",
		   "multipart/form-data; boundary=B");
	memory_body(&g.memory, body, 1);
}

static int post_form(struct span body)
{
	begin_form(body);
	return gateway_answer(&g, handle_upload_link_post, span_of(token));
}

static int show_link(const char *accept)
{
	gateway_request(&g, "GET", "/u/x", "");
	memory_set(&g.memory, "HTTP_ACCEPT", accept);
	return gateway_answer(&g, handle_upload_link_show, span_of(token));
}

/* The answer is this problem, and nothing more is there than these files, which
 * the link has counted */
#define assert_refused(got, status, slug, files)                             \
	do {                                                                 \
		int refused_got = (got);                                     \
		assert_int_equal(refused_got, status);                       \
		assert_true(gateway_said(&g, "\"urn:gatehouse:" slug "\"")); \
		assert_kept(files);                                          \
	} while (0)

static void assert_kept(int64_t files)
{
	int64_t counted = -1;

	assert_int_equal(gateway_objects(&g), files);
	assert_int_equal(gateway_unfinished(&g), 0);
	assert_int_equal(file_table_rows(db), files);
	assert_ok(db_row(db, "SELECT files FROM upload_link WHERE id = ?",
			 DB_IN(db_text(span_of(made.id))),
			 DB_OUT(db_to_int(&counted)), NULL));
	assert_int_equal(counted, files);
}

/* --- accepted ------------------------------------------------------------- */

static void a_file_belongs_to_the_link_s_owner_and_its_sender_gets_a_receipt(
	void **state)
{
	struct file f;
	struct span answer;

	(void)state;
	hand_out(9, 1000, 100);
	assert_int_equal(put("a\"b", SPAN("abc")), 201);
	answer = memory_answer(&g.memory);
	assert_span(answer, "{\"files\":[{\"name\":\"a\\\"b\",\"size\":3,"
			    "\"sha256\":\"" ABC_HEX "\"}]}\n");
	assert_false(memory_has_header(&g.memory, "Location"));
	assert_kept(1);
	assert_ok(db_row(db,
			 "SELECT " FILES_COLUMNS " FROM file f"
			 " WHERE f.owner = ?",
			 DB_IN(db_int(GATEWAY_USER)), DB_OUT(FILES_FIELDS(&f)),
			 NULL));
	assert_string_equal(f.upload_link, made.id);
	assert_string_equal(f.name, "a\"b");
	assert_true(f.expires_at == FILES_NEVER);
}

static void a_body_may_have_its_name_in_the_query(void **state)
{
	(void)state;
	hand_out(9, 1000, 100);
	assert_int_equal(post_raw("name=%C3%A4", SPAN("abc")), 201);
	assert_true(gateway_said(&g, "\"name\":\"\xc3\xa4\""));
	assert_kept(1);
	assert_refused(post_raw("", SPAN("abc")), 400, "no-file", 1);
}

static void a_form_stores_all_its_files_or_none(void **state)
{
	(void)state;
	hand_out(3, 1000, 100);
	assert_int_equal(post_form(SPAN(TWO_FILES)), 201);
	assert_true(gateway_find(&g, "\"one\"") < gateway_find(&g, "\"two\""));
	assert_kept(2);
	assert_refused(post_form(SPAN(TWO_FILES)), 507, "quota-exceeded", 2);
	assert_true(
		gateway_said(&g, "Too many files: this link accepts 1 more"));
}

static void the_parameters_owner_and_expires_in_are_ignored(void **state)
{
	int64_t n = 0;

	(void)state;
	hand_out(9, 1000, 100);
	assert_int_equal(post_raw("name=a&owner=7&expires_in=1", SPAN("abc")),
			 201);
	assert_ok(db_row(db,
			 "SELECT COUNT(*) FROM file WHERE owner = ?"
			 " AND expires_at IS NULL",
			 DB_IN(db_int(GATEWAY_USER)), DB_OUT(db_to_int(&n)),
			 NULL));
	assert_int_equal(n, 1);
}

static int post_two_files(void)
{
	return post_form(SPAN(TWO_FILES));
}

static int show_json(void)
{
	return show_link("application/json");
}

static void a_response_without_memory_is_an_error_not_a_shorter_list(
	void **state)
{
	(void)state;
	hand_out(99, 1000, 100);
	assert_survives_no_memory(post_two_files, 201);
	assert_survives_no_memory(show_json, 200);
}

/* --- what does not fit ---------------------------------------------------- */

static void a_length_that_cannot_fit_is_refused_unread(void **state)
{
	(void)state;
	hand_out(9, 10, 5);
	assert_refused(put("a", SPAN("123456")), 413, "too-large", 0);
	assert_true(gateway_said(
		&g, "larger than 5 bytes (the limit of this link)"));
	assert_int_equal(g.asked.body_read, 0);
	assert_int_equal(put("a", SPAN("12345")), 201);
	assert_int_equal(put("a", SPAN("1")), 201);
	assert_refused(put("a", SPAN("12345")), 507, "quota-exceeded", 2);
	assert_true(
		gateway_said(&g, "Too many bytes: this link accepts 4 more"));
	assert_int_equal(g.asked.body_read, 0);
	assert_int_equal(put("a", SPAN("1234")), 201);
	assert_refused(put("a", SPAN("")), 410, "gone", 3);
}

static void a_form_is_refused_at_the_first_byte_over_a_limit(void **state)
{
	(void)state;
	hand_out(9, 10, UPLOAD_LINK_NO_LIMIT);
	assert_refused(post_form(SPAN(TWO_FILES)), 507, "quota-exceeded", 0);
	assert_true(gateway_said(&g, "Too many bytes: this link accepts 10"));
	hand_out(9, 11, 5);
	assert_refused(post_form(SPAN(TWO_FILES)), 413, "too-large", 0);
	hand_out(9, 11, 6);
	assert_int_equal(post_form(SPAN(TWO_FILES)), 201);
	assert_kept(2);
}

static void the_server_s_own_limit_holds_where_the_link_has_none(void **state)
{
	(void)state;
	hand_out(9, UPLOAD_LINK_NO_LIMIT, UPLOAD_LINK_NO_LIMIT);
	g.app.max_upload = 3;
	assert_refused(put("a", SPAN("1234")), 413, "too-large", 0);
	assert_true(gateway_said(&g, "(MAX_UPLOAD)"));
	assert_int_equal(show_link(NULL), 200);
	assert_true(gateway_said(&g, "\"max_file_bytes\":3}"));
}

static void an_upload_is_refused_if_the_owner_s_quota_is_full(void **state)
{
	(void)state;
	hand_out(9, 1000, 100);
	g.app.quota.bytes = 5;
	assert_int_equal(put("a", SPAN("1234")), 201);
	assert_refused(put("a", SPAN("12")), 507, "quota-exceeded", 1);
	assert_true(gateway_said(
		&g, "There is no room left for uploads by this link"));
}

static void a_large_file_is_refused_unread_if_the_owner_s_quota_is_full(
	void **state)
{
	static char large[UPLOAD_ASK_FIRST];

	(void)state;
	hand_out(9, UPLOAD_LINK_NO_LIMIT, UPLOAD_LINK_NO_LIMIT);
	g.app.max_upload = INT64_C(1) << 30;
	g.app.quota.bytes = UPLOAD_ASK_FIRST - 1;
	assert_refused(put("a", (struct span) { large, sizeof(large) }), 507,
		       "quota-exceeded", 0);
	assert_int_equal(g.asked.body_read, 0);
	assert_true(gateway_said(
		&g, "There is no room left for uploads by this link"));
}

/* --- what ends meanwhile -------------------------------------------------- */

/* Reads as memory does, but at the last bytes something happens */
static enum err (*read_on)(struct transport *t, struct span *chunk);
static void (*happens)(void);

static enum err read_and_let_happen(struct transport *t, struct span *chunk)
{
	struct memory *m = (struct memory *)t;
	enum err e = read_on(t, chunk);

	if (m->read == m->body.len && happens != NULL) {
		happens();
		happens = NULL;
	}
	return e;
}

static int post_while(void (*what)(void))
{
	struct transport_ops ops;

	begin_form(SPAN(TWO_FILES));
	ops = *g.memory.base.ops;
	read_on = ops.read;
	happens = what;
	ops.read = read_and_let_happen;
	g.memory.base.ops = &ops;
	return gateway_answer(&g, handle_upload_link_post, span_of(token));
}

static void a_link_that_is_revoked_during_the_upload_stores_nothing(
	void **state)
{
	(void)state;
	hand_out(9, 1000, 100);
	assert_refused(post_while(revoke), 410, "gone", 0);
	assert_true(gateway_said(&g, "was revoked"));
}

static void disable(void)
{
	sessions_disable(db, GATEWAY_USER, true);
}

static void an_owner_who_is_disabled_during_the_upload_gets_nothing(
	void **state)
{
	(void)state;
	hand_out(9, 1000, 100);
	assert_refused(post_while(disable), 410, "gone", 0);
	assert_refused(put("a", SPAN("x")), 410, "gone", 0);
}

/* As another upload would */
static void count_files(int64_t files, int64_t bytes)
{
	assert_ok(db_change(db, "UPDATE upload_link SET files = ?, bytes = ?",
			    DB_IN(db_int(files), db_int(bytes)), NULL));
}

static void use_up_files(void)
{
	count_files(2, 0);
}

static void use_up_bytes(void)
{
	count_files(0, 995);
}

static void use_up_all(void)
{
	count_files(3, 0);
}

static void the_second_of_two_uploads_is_told_what_the_link_has_left(
	void **state)
{
	(void)state;
	hand_out(3, 1000, 100);
	assert_int_equal(post_while(use_up_files), 507);
	assert_true(
		gateway_said(&g, "Too many files: this link accepts 1 more"));
	assert_int_equal(gateway_objects(&g), 0);
	count_files(0, 0);
	assert_int_equal(post_while(use_up_bytes), 507);
	assert_true(
		gateway_said(&g, "Too many bytes: this link accepts 5 more"));
	count_files(0, 0);
	assert_int_equal(post_while(use_up_all), 410);
	count_files(0, 0);
	assert_kept(0);
}

/* --- showing a link ------------------------------------------------------- */

static void a_link_shows_what_it_still_accepts(void **state)
{
	(void)state;
	hand_out(3, 1000, 100);
	assert_int_equal(put("a", SPAN("abc")), 201);
	assert_int_equal(show_link("*/*"), 200);
	assert_span(
		memory_answer(&g.memory),
		"{\"name\":\"Party\",\"expires_at\":\"2026-01-01T00:01:00Z\","
		"\"max_files\":3,\"files_left\":2,"
		"\"max_bytes\":1000,\"bytes_left\":997,"
		"\"max_file_bytes\":100}\n");
	hand_out(UPLOAD_LINK_NO_LIMIT, UPLOAD_LINK_NO_LIMIT,
		 UPLOAD_LINK_NO_LIMIT);
	assert_int_equal(show_link("application/json, text/html"), 200);
	assert_true(gateway_said(&g, "\"max_files\":null,\"files_left\":null,"
				     "\"max_bytes\":null,\"bytes_left\":null,"
				     "\"max_file_bytes\":10000}"));
}

static void a_browser_is_redirected_to_the_page_with_the_token_behind_the_hash(
	void **state)
{
	char want[100];

	(void)state;
	hand_out(3, 1000, 100);
	revoke(); /* the page shows that it has ended */
	g.app.public_url = "https://example.org/";
	assert_int_equal(show_link("text/html,application/xhtml+xml,*/*;q=0.8"),
			 303);
	(void)snprintf(want, sizeof(want),
		       "https://example.org/upload-link.html#%s", token);
	assert_span_str(memory_header(&g.memory, "Location"), want);
	assert_int_equal(show_link("*/*"), 410);
}

static void an_invalid_token_is_not_found_for_a_browser_too(void **state)
{
	(void)state;
	hand_out(3, 1000, 100);
	(void)snprintf(token, sizeof(token), "%s", "x\r\nSet-Cookie: a");
	assert_int_equal(show_link("text/html"), 404);
	assert_int_equal(show_link("*/*"), 404);
	assert_refused(put("a", SPAN("x")), 404, "not-found", 0);
	assert_refused(post_form(SPAN(TWO_FILES)), 404, "not-found", 0);
	memset(token, 'A', LINK_TOKEN_LEN);
	assert_int_equal(show_link("*/*"), 404);
	assert_refused(put("a", SPAN("x")), 404, "not-found", 0);
}

#define DROP(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		DROP(a_file_belongs_to_the_link_s_owner_and_its_sender_gets_a_receipt),
		DROP(a_body_may_have_its_name_in_the_query),
		DROP(a_form_stores_all_its_files_or_none),
		DROP(the_parameters_owner_and_expires_in_are_ignored),
		DROP(a_response_without_memory_is_an_error_not_a_shorter_list),
		DROP(a_length_that_cannot_fit_is_refused_unread),
		DROP(a_form_is_refused_at_the_first_byte_over_a_limit),
		DROP(the_server_s_own_limit_holds_where_the_link_has_none),
		DROP(an_upload_is_refused_if_the_owner_s_quota_is_full),
		DROP(a_large_file_is_refused_unread_if_the_owner_s_quota_is_full),
		DROP(a_link_that_is_revoked_during_the_upload_stores_nothing),
		DROP(an_owner_who_is_disabled_during_the_upload_gets_nothing),
		DROP(the_second_of_two_uploads_is_told_what_the_link_has_left),
		DROP(a_link_shows_what_it_still_accepts),
		DROP(a_browser_is_redirected_to_the_page_with_the_token_behind_the_hash),
		DROP(an_invalid_token_is_not_found_for_a_browser_too),
	};

	(void)argc;
	mariadb_needed(argv);
	return cmocka_run_group_tests(tests, open_db, close_db);
}
