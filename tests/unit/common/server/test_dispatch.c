#include "common/log/log.h"
#include "common/server/dispatch.h"
#include "tests/unit/transport_memory.h"
#include "tests/unit/unit.h"

#include <sodium.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static struct service service;
static struct arena arena;
static char header[2048];
static enum err fails_with;

static enum err answer_ok(void *app, struct request *rq, struct response *rs)
{
	assert_string_equal(app, "the app");
	(void)rq;
	return response_body(rs, 200, "text/plain", SPAN("hello"));
}

static enum err fail_first(void *app, struct request *rq, struct response *rs)
{
	(void)app;
	(void)rq;
	response_header_str(rs, "X-Half", "made");
	(void)err_set(&rs->why, ERR_IO, "only for the operator");
	return fails_with;
}

static enum err fail_late(void *app, struct request *rq, struct response *rs)
{
	(void)app;
	(void)rq;
	response_header_int(rs, "Content-Length", 100);
	if (response_write(rs, SPAN("half")) != ERR_OK)
		return ERR_CLOSED;
	return ERR_IO;
}

static enum err split_header(void *app, struct request *rq, struct response *rs)
{
	(void)app;
	response_header(rs, "X-Tail", rq->param);
	return response_empty(rs, 204);
}

static enum err read_body(void *app, struct request *rq, struct response *rs)
{
	struct span chunk;
	enum err e;

	(void)app;
	while ((e = request_read(rq, &chunk)) == ERR_OK && chunk.len > 0)
		continue;
	return e == ERR_OK ? response_empty(rs, 204) : e;
}

static enum err use_memory(void *app, struct request *rq, struct response *rs)
{
	(void)app;
	return arena_alloc(rq->arena, ARENA_MAX / 2) != NULL
		       ? response_empty(rs, 204)
		       : ERR_MEMORY;
}

static char app[] = "the app";
static char forgotten[IDENT_LEN + 1];

static enum err may_send(void *app_, struct request *rq, struct response *rs)
{
	(void)rs;
	assert_string_equal(app_, "the app");
	assert_true(rq->authorizer);
	if (fails_with == ERR_OK)
		memcpy(rq->admission, "abcdefghijklmnopqrstuw", IDENT_LEN + 1);
	return fails_with;
}

static const struct route routes[] = {
	{ "GET", "/open", answer_ok, NO_AUTH },
	{ "GET", "/any", answer_ok, ANY_SCOPE, SESSION_IN_STATEMENT },
	{ "GET", "/read", answer_ok, "files:read", SESSION_IN_STATEMENT },
	{ "GET", "/write", answer_ok, "files:write", SESSION_IN_STATEMENT },
	{ "GET", "/fail", fail_first, NO_AUTH },
	{ "GET", "/late", fail_late, NO_AUTH },
	{ "GET", "/split/*", split_header, NO_AUTH },
	{ "POST", "/shown", answer_ok, NO_AUTH },
	{ "POST", "/body?*", read_body, NO_AUTH | TAKES_BODY },
	{ "POST", "/inside", read_body, NULL, INTERNAL_ONLY },
	{ "POST", "/both", read_body, NULL, INTERNAL_TOO },
	{ "GET", "/memory", use_memory, NO_AUTH },
	{ "GET", "/s/*", answer_ok, NO_AUTH },
	{ "PUT", "/u/*/*", answer_ok, NO_AUTH },
	{ "PUT", "/files/*", may_send, NO_AUTH | TAKES_BODY | ASKED_FIRST },
};
static const char *const secret_paths[] = { "/s/", "/u/", NULL };
static const struct program program = {
	.name = "test-exchange",
	.router = { routes, COUNT(routes) },
	.app = app,
	.secret_paths = secret_paths,
};

static enum err approve(void *app_, struct request *rq, struct response *rs)
{
	assert_string_equal(app_, "the app");
	assert_true(rq->authorizer);
	response_header_str(rs, "Variable-AUTHUSER", "ann");
	return fails_with != ERR_OK ? fails_with : response_empty(rs, 200);
}

static void forget(void *app_, const char *id)
{
	assert_string_equal(app_, "the app");
	(void)snprintf(forgotten, sizeof(forgotten), "%s", id);
}

static const struct program authorizer = {
	.name = "test-authorizer",
	.router = { routes, COUNT(routes) },
	.app = app,
	.authorize = approve,
};
static const struct program asked_first = {
	.name = "test-admission",
	.router = { routes, COUNT(routes) },
	.app = app,
	.admission_end = forget,
};
static const struct program *under_test = &program;

/* Dispatch one request; return the length of its log line, which may be 0 */
static size_t run_line(struct memory *m, char line[static LOG_LINE_MAX + 1])
{
	int saved = dup(STDERR_FILENO);
	FILE *f = tmpfile();
	size_t n;

	assert_non_null(f);
	assert_true(saved >= 0);
	assert_int_equal(dup2(fileno(f), STDERR_FILENO), STDERR_FILENO);
	dispatch_run(under_test, &service, &m->base, &arena);
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	(void)close(saved);
	rewind(f);
	n = fread(line, 1, LOG_LINE_MAX + 1, f);
	(void)fclose(f);
	assert_int_equal(m->finished, 1);
	assert_int_equal(arena.total, 0);
	return n;
}

/* Dispatch one request; its log line as an object, owned */
static struct json_object *run(struct memory *m)
{
	char line[LOG_LINE_MAX + 1];
	struct json_object *o = NULL;
	size_t n = run_line(m, line);

	assert_true(n > 1 && n <= LOG_LINE_MAX && line[n - 1] == '\n');
	assert_ok(json_read((struct span) { line, n - 1 }, &o));
	return o;
}

/* GET `path`, and check the status and the log line */
static void assert_status(struct memory *m, const char *path, int status)
{
	struct json_object *o;
	int64_t n;

	memory_init(m, "GET", path);
	memory_set(m, "HTTP_AUTHORIZATION", header);
	memory_set(m, "HTTP_X_REQUEST_ID", "req-7");
	o = run(m);
	assert_int_equal(memory_status(m), status);
	assert_ok(json_get_int(o, "status", &n));
	assert_int_equal(n, status);
	assert_ok(json_get_int(o, "bytes_out", &n));
	assert_int_equal(n, memory_answer(m).len);
	assert_ok(json_get_int(o, "us", &n));
	assert_true(n >= 0 && n < 60000000);
	json_object_put(o);
	assert_span(memory_header(m, "X-Request-ID"), "req-7");
	assert_span(memory_header(m, "Cache-Control"), "no-store");
}

static void bear(const char *scope)
{
	struct claims c = { .user_id = 42,
			    .email = "ann@example.org",
			    .issuer = "gatehouse",
			    .token_id = "id",
			    .session = "AAAAAAAAAAAAAAAAAAAAAA",
			    .expires_at = (int64_t)time(NULL) + 60 };
	const struct keyring *ring;
	struct buf b;

	(void)snprintf(c.scope, sizeof(c.scope), "%s", scope);
	buf_init(&b, sizeof(header) - 1);
	buf_add_str(&b, "Bearer ");
	ring = keyring_file_take(service.keys, c.expires_at);
	assert_ok(jwt_sign(&c, ring, &b));
	keyring_file_give(service.keys, ring);
	assert_true(span_to_cstr(buf_span(&b), header, sizeof(header)));
	buf_release(&b);
}

static int no_token(void **state)
{
	(void)state;
	header[0] = '\0';
	under_test = &program;
	return 0;
}

static void an_open_route_needs_no_token(void **state)
{
	struct memory m;

	(void)state;
	assert_status(&m, "/open", 200);
	assert_span(memory_answer(&m), "hello");
	memory_release(&m);
}

static void a_route_with_a_scope_needs_a_token_with_it(void **state)
{
	struct memory m;

	(void)state;
	assert_status(&m, "/any", 401);
	assert_span(memory_header(&m, "WWW-Authenticate"),
		    "Bearer realm=\"gatehouse\"");
	memory_release(&m);
	bear("files:read");
	assert_status(&m, "/any", 200);
	memory_release(&m);
	assert_status(&m, "/read", 200);
	memory_release(&m);
	assert_status(&m, "/write", 403);
	memory_release(&m);
}

static void an_unknown_path_is_404_with_or_without_a_token(void **state)
{
	struct memory m;

	(void)state;
	assert_status(&m, "/nothing", 404);
	memory_release(&m);
	bear("files:read");
	assert_status(&m, "/nothing", 404);
	memory_release(&m);
}

static void a_wrong_method_gets_the_list_of_methods(void **state)
{
	struct memory m;

	(void)state;
	assert_status(&m, "/body", 405);
	assert_span(memory_header(&m, "Allow"), "POST");
	memory_release(&m);
}

static void a_failed_handler_is_answered_with_a_problem(void **state)
{
	struct memory m;

	(void)state;
	fails_with = ERR_NOT_FOUND;
	assert_status(&m, "/fail", 404);
	assert_false(memory_has_header(&m, "X-Half"));
	memory_release(&m);
	fails_with = ERR_UNAVAILABLE;
	assert_status(&m, "/fail", 503);
	assert_span(memory_header(&m, "Retry-After"), "1");
	memory_release(&m);
}

static void the_reason_of_a_failure_is_in_the_log_and_not_in_the_answer(
	void **state)
{
	struct json_object *o;
	struct memory m;
	char text[64];

	(void)state;
	fails_with = ERR_IO;
	memory_init(&m, "GET", "/fail");
	o = run(&m);
	assert_ok(json_get_text(o, "why", text, sizeof(text)));
	assert_string_equal(text, "only for the operator");
	assert_ok(json_get_text(o, "error", text, sizeof(text)));
	assert_string_equal(text, "input/output error");
	assert_ok(json_get_text(o, "level", text, sizeof(text)));
	assert_string_equal(text, "error");
	json_object_put(o);
	buf_add_char(&m.text, '\0');
	assert_lacks(m.text.p, "only for");
	memory_release(&m);
}

static void assert_level(enum err e, const char *level)
{
	struct json_object *o;
	struct memory m;
	char text[16];

	fails_with = e;
	memory_init(&m, "GET", "/fail");
	o = run(&m);
	assert_ok(json_get_text(o, "level", text, sizeof(text)));
	assert_string_equal(text, level);
	json_object_put(o);
	memory_release(&m);
}

static void a_full_disk_is_logged_as_an_error_and_a_used_up_quota_is_not(
	void **state)
{
	(void)state;
	assert_level(ERR_QUOTA, "info");
	assert_level(ERR_QUOTA_FILES, "info");
	assert_level(ERR_FULL, "error");
	assert_level(ERR_UNAVAILABLE, "error");
	assert_level(ERR_NOT_FOUND, "info");
}

static void a_failure_after_the_first_byte_adds_nothing(void **state)
{
	struct json_object *o;
	struct memory m;

	(void)state;
	memory_init(&m, "GET", "/late");
	o = run(&m);
	assert_int_equal(memory_status(&m), 200);
	assert_span(memory_answer(&m), "half");
	json_object_put(o);
	memory_release(&m);
}

static void a_header_that_cannot_be_sent_becomes_a_500(void **state)
{
	struct memory m;

	(void)state;
	assert_status(&m, "/split/a\r\nSet-Cookie: x=1", 500);
	assert_false(memory_has_header(&m, "Set-Cookie"));
	assert_false(memory_has_header(&m, "X-Tail"));
	memory_release(&m);
}

static void head_gets_no_body(void **state)
{
	struct json_object *o;
	struct memory m;

	(void)state;
	memory_init(&m, "HEAD", "/open");
	o = run(&m);
	assert_int_equal(memory_status(&m), 200);
	assert_span(memory_header(&m, "Content-Length"), "5");
	assert_span(memory_answer(&m), "");
	json_object_put(o);
	memory_release(&m);
}

static void options_needs_no_token(void **state)
{
	struct json_object *o;
	struct memory m;

	(void)state;
	memory_init(&m, "OPTIONS", "/read");
	o = run(&m);
	assert_int_equal(memory_status(&m), 204);
	assert_span(memory_header(&m, "Allow"), "GET, HEAD, OPTIONS");
	json_object_put(o);
	memory_release(&m);
}

static void the_user_is_in_the_log_and_the_token_is_not(void **state)
{
	struct json_object *o;
	struct memory m;
	char text[256];
	int64_t n;

	(void)state;
	bear("files:read");
	memory_init(&m, "GET", "/write");
	memory_set(&m, "HTTP_AUTHORIZATION", header);
	memory_set(&m, "QUERY_STRING", "secret=in-the-query");
	o = run(&m);
	assert_ok(json_get_int(o, "user_id", &n));
	assert_int_equal(n, 42);
	assert_ok(json_get_text(o, "user", text, sizeof(text)));
	assert_string_equal(text, "ann@example.org");
	assert_null(strstr(json_write(o).p, header + 7));
	assert_lacks(json_write(o).p, "in-the-query");
	json_object_put(o);
	memory_release(&m);
}

static void assert_logged_path(const char *method, const char *path,
			       const char *want)
{
	struct json_object *o, *v = NULL;
	struct memory m;

	memory_init(&m, method, path);
	o = run(&m);
	assert_int_equal(json_object_object_get_ex(o, "path", &v),
			 want != NULL);
	if (want != NULL)
		assert_string_equal(json_object_get_string(v), want);
	json_object_put(o);
	memory_release(&m);
}

static void a_secret_path_is_never_in_the_log(void **state)
{
	(void)state;
	assert_logged_path("GET", "/s/secret", "/s/\xe2\x80\xa6");
	assert_logged_path("GET", "/s/secret/more", "/s/\xe2\x80\xa6");
	assert_logged_path("POST", "/s/secret", "/s/\xe2\x80\xa6");
	assert_logged_path("OPTIONS", "/s/secret", "/s/\xe2\x80\xa6");
	assert_logged_path("PUT", "/u/secret/name", "/u/\xe2\x80\xa6");
	assert_logged_path("GET", "/s/secret/", "/s/\xe2\x80\xa6");
	assert_logged_path("GET", "/open", "/open");
	assert_logged_path("GET", "/split/x", "/split/x");
}

static void the_path_of_no_route_is_not_in_the_log(void **state)
{
	static const char *const paths[] = {
		"/s",	       "/s/",	     "/S/secret",
		"/s;/secret",  "//s/secret", "/drop.html/secret",
		"/x/s/secret", "/u/secret",  "/upload/x",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++)
		assert_logged_path("GET", paths[i], NULL);
}

static void a_body_is_counted_and_a_short_one_is_400(void **state)
{
	struct json_object *o;
	struct memory m;
	int64_t n;

	(void)state;
	memory_init(&m, "POST", "/body");
	memory_body(&m, SPAN("0123456789"), 3);
	o = run(&m);
	assert_int_equal(memory_status(&m), 204);
	assert_ok(json_get_int(o, "bytes_in", &n));
	assert_int_equal(n, 10);
	json_object_put(o);
	memory_release(&m);
	memory_init(&m, "POST", "/body");
	memory_body(&m, SPAN("0123456789"), 3);
	memory_set(&m, "CONTENT_LENGTH", "11");
	json_object_put(run(&m));
	assert_int_equal(memory_status(&m), 400);
	memory_release(&m);
}

static void a_malformed_request_is_400_with_an_id(void **state)
{
	struct memory m;

	(void)state;
	memory_init(&m, "GET", "no-slash");
	json_object_put(run(&m));
	assert_int_equal(memory_status(&m), 400);
	assert_true(memory_header(&m, "X-Request-ID").len > 0);
	memory_release(&m);
}

static void a_disconnected_client_is_only_logged(void **state)
{
	struct json_object *o;
	struct memory m;
	char text[64];

	(void)state;
	memory_init(&m, "GET", "/open");
	m.write_breaks = 0;
	o = run(&m);
	assert_ok(json_get_text(o, "error", text, sizeof(text)));
	assert_string_equal(text, "connection closed");
	json_object_put(o);
	memory_release(&m);
}

static void each_request_has_the_whole_arena(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		struct memory m;

		assert_status(&m, "/memory", 204);
		memory_release(&m);
	}
}

static void a_long_path_leaves_the_status_in_the_log(void **state)
{
	static char path[4000];
	struct memory m;

	(void)state;
	for (size_t n = 1700; n < sizeof(path); n += 1 + n / 10) {
		memset(path, '"', sizeof(path));
		path[0] = '/';
		path[n] = '\0';
		assert_status(&m, path, 404);
		memory_release(&m);
	}
}

static void an_authorizer_answers_for_any_path_of_any_method(void **state)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "BREW",
					       "OPTIONS" };
	struct memory m;

	(void)state;
	under_test = &authorizer;
	for (size_t i = 0; i < COUNT(methods); i++) {
		fails_with = ERR_OK;
		memory_init(&m, methods[i], "/anybody's/path");
		memory_set(&m, "FCGI_ROLE", "AUTHORIZER");
		json_object_put(run(&m));
		assert_int_equal(memory_status(&m), 200);
		assert_span(memory_header(&m, "Variable-AUTHUSER"), "ann");
		memory_release(&m);
		fails_with = ERR_NO_TOKEN;
		memory_init(&m, methods[i], "/open");
		memory_set(&m, "FCGI_ROLE", "AUTHORIZER");
		json_object_put(run(&m));
		assert_int_equal(memory_status(&m), 401);
		assert_false(memory_has_header(&m, "Variable-AUTHUSER"));
		memory_release(&m);
	}
}

static void a_program_without_the_authorizer_role_refuses_it(void **state)
{
	struct memory m;

	(void)state;
	memory_init(&m, "GET", "/open");
	memory_set(&m, "FCGI_ROLE", "AUTHORIZER");
	json_object_put(run(&m));
	assert_int_equal(memory_status(&m), 404);
	memory_release(&m);
}

/* The server's error `status` in a request for `url`, passed to `p` */
static void fail_in_server(struct memory *m, const char *place,
			   const char *status, const char *url)
{
	memory_init(m, "GET", place);
	memory_set(m, "REDIRECT_STATUS", status);
	memory_set(m, "REQUEST_URI", url);
}

static void a_post_that_the_server_refused_is_served(void **state)
{
	struct memory m;

	(void)state;
	fail_in_server(&m, "/.error/request", "411", "/body/?a=b");
	json_object_put(run(&m));
	assert_int_equal(memory_status(&m), 204);
	memory_release(&m);
	fail_in_server(&m, "/.error/request", "411", "/open");
	json_object_put(run(&m));
	assert_int_equal(memory_status(&m), 405);
	memory_release(&m);
	fail_in_server(&m, "/.error/program", "411", "/body");
	json_object_put(run(&m));
	assert_int_equal(memory_status(&m), 411);
	memory_release(&m);
	fail_in_server(&m, "/.error/request", "404", "/body");
	json_object_put(run(&m));
	assert_int_equal(memory_status(&m), 404);
	memory_release(&m);
}

static void a_post_is_served_on_its_own_listener_alone(void **state)
{
	static const struct {
		const char *place, *url;
		int status;
	} posts[] = {
		{ "/.error/request", "/inside", 404 },
		{ "/.error/internal", "/inside", 204 },
		{ "/.error/request", "/both", 204 },
		{ "/.error/internal", "/both", 204 },
		{ "/.error/internal", "/body", 404 },
	};
	struct memory m;

	(void)state;
	for (size_t i = 0; i < COUNT(posts); i++) {
		fail_in_server(&m, posts[i].place, "411", posts[i].url);
		json_object_put(run(&m));
		assert_int_equal(memory_status(&m), posts[i].status);
		memory_release(&m);
	}
}

static void a_post_for_the_next_program_is_passed_on(void **state)
{
	static const struct program first = {
		.name = "test-first",
		.router = { routes, COUNT(routes) },
		.app = app,
		.next_at_error = "/.error-to/next",
	};
	struct memory m;

	(void)state;
	under_test = &first;
	/* By plain CGI: a local redirect */
	fail_in_server(&m, "/.error/internal", "411", "/elsewhere");
	json_object_put(run(&m));
	assert_span(buf_span(&m.text),
		    "Location: /.error-to/next/internal\r\n\r\n");
	memory_release(&m);
	/* By FastCGI: the permission of an authorizer */
	fail_in_server(&m, "", "411", "/elsewhere");
	memory_set(&m, "FCGI_ROLE", "AUTHORIZER");
	memory_set(&m, "REDIRECT_URI", "/.error/request");
	json_object_put(run(&m));
	assert_int_equal(memory_status(&m), 200);
	memory_release(&m);
	/* So its own response is never a 200 */
	fail_in_server(&m, "", "411", "/shown");
	memory_set(&m, "FCGI_ROLE", "AUTHORIZER");
	memory_set(&m, "REDIRECT_URI", "/.error/request");
	json_object_put(run(&m));
	assert_int_equal(memory_status(&m), 204);
	memory_release(&m);
	/* Any other error is answered by the first */
	fail_in_server(&m, "", "431", "/elsewhere");
	memory_set(&m, "FCGI_ROLE", "AUTHORIZER");
	memory_set(&m, "REDIRECT_URI", "/.error/request");
	json_object_put(run(&m));
	assert_int_equal(memory_status(&m), 431);
	memory_release(&m);
}

/* As lighttpd asks: the path is in other variables than that of a request */
static void ask(struct memory *m, const char *method, const char *file,
		const char *length)
{
	memory_init(m, method, "");
	memory_set(m, "SCRIPT_NAME", NULL);
	memory_set(m, "PATH_INFO", NULL);
	memory_set(m, "DOCUMENT_ROOT", "/www");
	memory_set(m, "SCRIPT_FILENAME", file);
	memory_set(m, "HTTP_CONTENT_LENGTH", length);
	memory_set(m, "FCGI_ROLE", "AUTHORIZER");
}

static void an_admitted_body_is_neither_logged_nor_counted_yet(void **state)
{
	char line[LOG_LINE_MAX + 1];
	struct memory m;

	(void)state;
	under_test = &asked_first;
	fails_with = ERR_OK;
	forgotten[0] = '\0';
	ask(&m, "PUT", "/www/test-admission/files/a", "100");
	assert_int_equal(run_line(&m, line), 0);
	assert_int_equal(memory_status(&m), 200);
	assert_true(memory_has_header(&m, "Variable-ADMITTED_AT"));
	assert_true(memory_has_header(&m, "Variable-ADMISSION_REQUEST_ID"));
	assert_span(memory_header(&m, "Variable-ADMISSION"),
		    "abcdefghijklmnopqrstuw");
	assert_string_equal(forgotten, "");
	memory_release(&m);
}

static void a_body_that_is_not_admitted_gets_the_response_of_its_request(
	void **state)
{
	struct memory m;

	(void)state;
	under_test = &asked_first;
	fails_with = ERR_QUOTA;
	ask(&m, "PUT", "/www/test-admission/files/a", "100");
	json_object_put(run(&m));
	assert_int_equal(memory_status(&m), 507);
	memory_release(&m);
	ask(&m, "PUT", "/www/test-admission/nothing", "100");
	json_object_put(run(&m));
	assert_int_equal(memory_status(&m), 404);
	memory_release(&m);
	ask(&m, "PUT", "/www/test-admission/open", "100");
	json_object_put(run(&m));
	assert_int_equal(memory_status(&m), 405);
	memory_release(&m);
	ask(&m, "PUT", "/elsewhere", "100");
	json_object_put(run(&m));
	assert_int_equal(memory_status(&m), 404);
	memory_release(&m);
}

static void a_route_without_admission_may_have_a_small_body(void **state)
{
	char line[LOG_LINE_MAX + 1];
	struct memory m;

	(void)state;
	under_test = &asked_first;
	ask(&m, "POST", "/www/test-admission/body", "65536");
	assert_int_equal(run_line(&m, line), 0);
	assert_int_equal(memory_status(&m), 200);
	memory_release(&m);
	ask(&m, "POST", "/www/test-admission/body", "65537");
	json_object_put(run(&m));
	assert_int_equal(memory_status(&m), 413);
	memory_release(&m);
	ask(&m, "OPTIONS", "/www/test-admission/files/a", "65537");
	json_object_put(run(&m));
	assert_int_equal(memory_status(&m), 413);
	memory_release(&m);
}

static void what_an_admission_reserved_is_given_back_with_its_request(
	void **state)
{
	struct memory m;

	(void)state;
	under_test = &asked_first;
	forgotten[0] = '\0';
	memory_init(&m, "GET", "/open");
	memory_set(&m, "ADMITTED_AT", "1000");
	memory_set(&m, "ADMISSION", "abcdefghijklmnopqrstuw");
	memory_set(&m, "ADMISSION_REQUEST_ID", "the-same");
	json_object_put(run(&m));
	assert_string_equal(forgotten, "abcdefghijklmnopqrstuw");
	assert_span(memory_header(&m, "X-Request-ID"), "the-same");
	memory_release(&m);
	/* A client cannot name one */
	forgotten[0] = '\0';
	memory_init(&m, "GET", "/open");
	memory_set(&m, "HTTP_ADMITTED_AT", "1000");
	memory_set(&m, "HTTP_ADMISSION", "abcdefghijklmnopqrstuw");
	json_object_put(run(&m));
	assert_string_equal(forgotten, "");
	memory_release(&m);
}

static void a_header_cannot_select_the_authorizer_role(void **state)
{
	struct memory m;

	(void)state;
	under_test = &authorizer;
	memory_init(&m, "GET", "/open");
	memory_set(&m, "HTTP_FCGI_ROLE", "AUTHORIZER");
	json_object_put(run(&m));
	assert_span(memory_answer(&m), "hello");
	memory_release(&m);
}

static void each_request_is_counted_under_its_route(void **state)
{
	struct metrics_layout layout = { .program = "t",
					 .route_count = COUNT(routes) };
	struct memory m;
	struct buf text;

	(void)state;
	for (size_t i = 0; i < COUNT(routes); i++)
		layout.routes[i] = routes[i].pattern;
	assert_ok(metrics_open(&layout, "", &service.metrics, NULL));
	assert_status(&m, "/open", 200);
	memory_release(&m);
	assert_status(&m, "/body", 405);
	memory_release(&m);
	assert_status(&m, "/made/up", 404);
	memory_release(&m);
	buf_init(&text, METRICS_TEXT_MAX);
	metrics_write(service.metrics, &text);
	buf_add_char(&text, '\0');
#define COUNTED "gatehouse_http_requests_total{program=\"t\",method=\"GET\","
	assert_contains(text.p, COUNTED "route=\"/open\",code=\"200\"} 1");
	assert_contains(text.p, COUNTED "route=\"/body\",code=\"405\"} 1");
	assert_contains(text.p, COUNTED "route=\"other\",code=\"404\"} 1");
	assert_contains(text.p, "in_flight{program=\"t\"} 0");
	buf_release(&text);
	metrics_close(service.metrics);
	service.metrics = NULL;
}

int main(void)
{
#define FIXTURE_TEST(name) cmocka_unit_test_setup(name, no_token)
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(an_open_route_needs_no_token),
		FIXTURE_TEST(a_route_with_a_scope_needs_a_token_with_it),
		FIXTURE_TEST(an_unknown_path_is_404_with_or_without_a_token),
		FIXTURE_TEST(a_wrong_method_gets_the_list_of_methods),
		FIXTURE_TEST(a_failed_handler_is_answered_with_a_problem),
		FIXTURE_TEST(
			the_reason_of_a_failure_is_in_the_log_and_not_in_the_answer),
		FIXTURE_TEST(
			a_full_disk_is_logged_as_an_error_and_a_used_up_quota_is_not),
		FIXTURE_TEST(a_failure_after_the_first_byte_adds_nothing),
		FIXTURE_TEST(a_header_that_cannot_be_sent_becomes_a_500),
		FIXTURE_TEST(head_gets_no_body),
		FIXTURE_TEST(options_needs_no_token),
		FIXTURE_TEST(the_user_is_in_the_log_and_the_token_is_not),
		FIXTURE_TEST(a_secret_path_is_never_in_the_log),
		FIXTURE_TEST(the_path_of_no_route_is_not_in_the_log),
		FIXTURE_TEST(a_post_that_the_server_refused_is_served),
		FIXTURE_TEST(a_post_is_served_on_its_own_listener_alone),
		FIXTURE_TEST(a_post_for_the_next_program_is_passed_on),
		FIXTURE_TEST(a_body_is_counted_and_a_short_one_is_400),
		FIXTURE_TEST(a_malformed_request_is_400_with_an_id),
		FIXTURE_TEST(a_disconnected_client_is_only_logged),
		FIXTURE_TEST(each_request_has_the_whole_arena),
		FIXTURE_TEST(a_long_path_leaves_the_status_in_the_log),
		FIXTURE_TEST(an_authorizer_answers_for_any_path_of_any_method),
		FIXTURE_TEST(a_program_without_the_authorizer_role_refuses_it),
		FIXTURE_TEST(
			an_admitted_body_is_neither_logged_nor_counted_yet),
		FIXTURE_TEST(
			a_body_that_is_not_admitted_gets_the_response_of_its_request),
		FIXTURE_TEST(a_route_without_admission_may_have_a_small_body),
		FIXTURE_TEST(
			what_an_admission_reserved_is_given_back_with_its_request),
		FIXTURE_TEST(a_header_cannot_select_the_authorizer_role),
		FIXTURE_TEST(each_request_is_counted_under_its_route),
	};
	static char no_origins[] = "";
	int failed;

	if (sodium_init() < 0 ||
	    keyring_file_fixed(SPAN("Zt9!kQ2#vL7@xN4$bR8%mW1^pS6&cF3*"),
			       &service.keys, NULL) != ERR_OK)
		return 1;
	service.settings.cors_origins = no_origins;
	service.rules = (struct jwt_rules) { "gatehouse", "" };
	arena_init(&arena);
	failed = RUN(tests);
	arena_release(&arena);
	keyring_file_close(service.keys);
	return failed;
}
