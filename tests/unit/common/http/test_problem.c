#include "common/http/problem.h"
#include "tests/unit/transport_memory.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

struct answer {
	struct memory m;
	struct response rs;
	struct request rq;
};

static int set_up(void **state)
{
	struct answer *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return -1;
	memory_init(&a->m, "GET", "/");
	a->rq.transport = &a->m.base;
	response_init(&a->rs, &a->m.base, false);
	(void)snprintf(a->rq.id, sizeof(a->rq.id), "req-1");
	*state = a;
	return 0;
}

static int tear_down(void **state)
{
	struct answer *a = *state;

	response_release(&a->rs);
	memory_release(&a->m);
	free(a);
	return 0;
}

/* The answer to `e` as a JSON object; owned */
static struct json_object *answered(struct answer *a, enum err e)
{
	struct json_object *o = NULL;

	a->rs.started = false;
	buf_clear(&a->m.text);
	assert_ok(problem_answer(&a->rq, &a->rs, e));
	assert_span(memory_header(&a->m, "Content-Type"),
		    "application/problem+json");
	assert_span(memory_header(&a->m, "Cache-Control"), "no-store");
	assert_span(memory_header(&a->m, "Vary"), "Accept");
	assert_true(span_has_suffix(memory_answer(&a->m), SPAN("}\n")));
	assert_ok(json_read(memory_answer(&a->m), &o));
	return o;
}

static void assert_text(struct json_object *o, const char *key,
			const char *want)
{
	char text[512];

	assert_ok(json_get_text(o, key, text, sizeof(text)));
	assert_string_equal(text, want);
}

/* The contract, word for word */
static const struct {
	enum err e;
	int status;
	const char *slug, *challenge;
} contract[] = {
	{ ERR_FORMAT, 400, "bad-request", NULL },
	{ ERR_TOKEN_REQUEST, 400, "invalid-request",
	  "Bearer realm=\"gatehouse\", error=\"invalid_request\"" },
	{ ERR_NO_FILE, 400, "no-file", NULL },
	{ ERR_TRUNCATED, 400, "incomplete-body", NULL },
	{ ERR_SLOW, 408, "timeout", NULL },
	{ ERR_NO_CREDENTIALS, 401, "missing-credentials",
	  "Basic realm=\"gatehouse\", charset=\"UTF-8\"" },
	{ ERR_CREDENTIALS, 401, "invalid-credentials",
	  "Basic realm=\"gatehouse\", charset=\"UTF-8\"" },
	{ ERR_LIMITED, 429, "too-many-attempts", NULL },
	{ ERR_TOO_MANY_UPLOADS, 429, "too-many-uploads", NULL },
	{ ERR_OTP_REQUIRED, 401, "otp-required",
	  "Basic realm=\"gatehouse\", charset=\"UTF-8\"" },
	{ ERR_OTP, 401, "invalid-otp",
	  "Basic realm=\"gatehouse\", charset=\"UTF-8\"" },
	{ ERR_NO_TOKEN, 401, "missing-token", "Bearer realm=\"gatehouse\"" },
	{ ERR_BAD_TOKEN, 401, "invalid-token",
	  "Bearer realm=\"gatehouse\", error=\"invalid_token\"" },
	{ ERR_EXPIRED, 401, "invalid-token",
	  "Bearer realm=\"gatehouse\", error=\"invalid_token\", "
	  "error_description=\"expired\"" },
	{ ERR_NOT_YET, 401, "invalid-token",
	  "Bearer realm=\"gatehouse\", error=\"invalid_token\", "
	  "error_description=\"not valid yet\"" },
	{ ERR_SCOPE, 403, "insufficient-scope",
	  "Bearer realm=\"gatehouse\", error=\"insufficient_scope\"" },
	{ ERR_FORBIDDEN, 403, "forbidden", NULL },
	{ ERR_NOT_FOUND, 404, "not-found", NULL },
	{ ERR_GONE, 410, "gone", NULL },
	{ ERR_METHOD, 405, "method-not-allowed", NULL },
	{ ERR_CONFLICT, 409, "conflict", NULL },
	{ ERR_LENGTH_REQUIRED, 411, "length-required", NULL },
	{ ERR_TUS_VERSION, 412, "tus-version", NULL },
	{ ERR_TOO_LARGE, 413, "too-large", NULL },
	{ ERR_MEDIA_TYPE, 415, "unsupported-media-type", NULL },
	{ ERR_RANGE, 416, "range-not-satisfiable", NULL },
	{ ERR_CONDITION, 412, "precondition-failed", NULL },
	{ ERR_DIGEST, 422, "digest-mismatch", NULL },
	{ ERR_INFECTED, 422, "infected", NULL },
	{ ERR_WEAK_PASSWORD, 422, "weak-password", NULL },
	{ ERR_INVALID, 422, "invalid-value", NULL },
	{ ERR_TOO_MANY_UPLOADS, 429, "too-many-uploads", NULL },
	{ ERR_BUSY, 423, "locked", NULL },
	{ ERR_CHECKSUM, 460, "checksum-mismatch", NULL },
	{ ERR_CLOSED, 400, "incomplete-body", NULL },
	{ ERR_MEMORY, 500, "internal-error", NULL },
	{ ERR_IO, 500, "internal-error", NULL },
	{ ERR_CONFIG, 500, "internal-error", NULL },
	{ ERR_UNAVAILABLE, 503, "unavailable", NULL },
	{ ERR_OVERLOADED, 503, "unavailable", NULL },
	{ ERR_FULL, 507, "storage-full", NULL },
	{ ERR_TOO_MANY, 409, "conflict", NULL },
	{ ERR_QUOTA, 507, "quota-exceeded", NULL },
	{ ERR_QUOTA_FILES, 507, "quota-exceeded", NULL },
	{ ERR_OK, 500, "internal-error", NULL },
	{ ERR_COUNT, 500, "internal-error", NULL },
};

static void every_error_has_its_status_slug_and_challenge(void **state)
{
	struct answer *a = *state;

	for (size_t i = 0; i < COUNT(contract); i++) {
		struct json_object *o = answered(a, contract[i].e);
		char type[64];
		int64_t status;

		assert_int_equal(memory_status(&a->m), contract[i].status);
		assert_ok(json_get_int(o, "status", &status));
		assert_int_equal(status, contract[i].status);
		(void)snprintf(type, sizeof(type), "urn:gatehouse:%s",
			       contract[i].slug);
		assert_text(o, "type", type);
		assert_span_str(memory_header(&a->m, "WWW-Authenticate"),
				contract[i].challenge != NULL
					? contract[i].challenge
					: "");
		json_object_put(o);
	}
}

static void every_error_is_in_the_contract(void **state)
{
	(void)state;
	for (int e = ERR_OK; e <= ERR_COUNT; e++) {
		size_t i = 0;

		while (i < COUNT(contract) && contract[i].e != (enum err)e)
			i++;
		assert_in_range(i, 0, COUNT(contract) - 1);
	}
}

static void every_problem_has_five_members_and_a_detail(void **state)
{
	struct answer *a = *state;

	for (size_t i = 0; i < COUNT(contract); i++) {
		struct json_object *o = answered(a, contract[i].e);
		char detail[512];
		size_t n;

		assert_int_equal(json_object_object_length(o), 5);
		assert_text(o, "request_id", "req-1");
		assert_ok(json_get_text(o, "detail", detail, sizeof(detail)));
		n = strlen(detail);
		assert_true(n > 10 && detail[n - 1] == '.');
		json_object_put(o);
	}
}

static void an_explanation_replaces_the_detail(void **state)
{
	struct answer *a = *state;
	struct json_object *o;
	enum err e = response_explain(&a->rs, ERR_INVALID, "\"%s\" is no name.",
				      "a\\b");

	o = answered(a, e);
	assert_text(o, "detail", "\"a\\b\" is no name.");
	json_object_put(o);
}

static void the_operators_message_is_not_in_the_answer(void **state)
{
	struct answer *a = *state;

	(void)err_set(&a->rs.why, ERR_IO, "open /srv/secret: denied");
	json_object_put(answered(a, ERR_IO));
	buf_add_char(&a->m.text, '\0');
	assert_lacks(a->m.text.p, "/srv");
	assert_lacks(a->m.text.p, "denied");
}

static void a_503_has_retry_after_and_a_507_has_none(void **state)
{
	struct answer *a = *state;

	json_object_put(answered(a, ERR_UNAVAILABLE));
	assert_span(memory_header(&a->m, "Retry-After"), "1");
	json_object_put(answered(a, ERR_OVERLOADED));
	assert_span(memory_header(&a->m, "Retry-After"), "1");
	json_object_put(answered(a, ERR_FULL));
	assert_false(memory_has_header(&a->m, "Retry-After"));
}

static void a_429_has_retry_after_in_seconds(void **state)
{
	struct answer *a = *state;

	a->rs.retry_after = 77;
	json_object_put(answered(a, ERR_LIMITED));
	assert_span(memory_header(&a->m, "Retry-After"), "77");
}

static void an_unsent_answer_is_replaced_but_for_its_kept_headers(void **state)
{
	struct answer *a = *state;

	response_header_str(&a->rs, "X-Request-ID", "req-1");
	response_keep(&a->rs);
	response_header_str(&a->rs, "Content-Disposition", "attachment");
	response_header_str(&a->rs, "Content-Length", "12345");
	response_status(&a->rs, 206);
	json_object_put(answered(a, ERR_NOT_FOUND));
	assert_int_equal(memory_status(&a->m), 404);
	assert_span(memory_header(&a->m, "X-Request-ID"), "req-1");
	assert_false(memory_has_header(&a->m, "Content-Disposition"));
	assert_int_equal(memory_answer(&a->m).len, a->rs.body_sent);
}

static void a_started_answer_is_not_changed(void **state)
{
	struct answer *a = *state;
	size_t n;

	assert_ok(response_write(&a->rs, SPAN("half")));
	n = a->m.text.len;
	assert_err(problem_answer(&a->rq, &a->rs, ERR_IO), ERR_IO);
	assert_int_equal(a->m.text.len, n);
}

static void head_gets_the_headers_of_its_problem(void **state)
{
	struct answer *a = *state;

	a->rs.head_only = true;
	assert_ok(problem_answer(&a->rq, &a->rs, ERR_NOT_FOUND));
	assert_int_equal(memory_status(&a->m), 404);
	assert_true(memory_has_header(&a->m, "Content-Length"));
	assert_span(memory_answer(&a->m), "");
}

static void a_problem_that_is_opened_in_a_browser_is_a_page(void **state)
{
	static const struct {
		const char *mode, *accept;
		bool page;
	} clients[] = {
		{ NULL, NULL, false },
		{ NULL, "*/*", false }, /* curl */
		{ NULL, "text/html,application/xhtml+xml,*/*;q=0.8", true },
		{ NULL, "text/html", true },
		{ NULL, "text/html;q=0", false },
		{ NULL, "application/json, text/html", false },
		{ NULL, "application/problem+json, text/html;q=0.9", false },
		{ NULL, "image/avif,image/webp,*/*;q=0.8", false },
		{ "navigate", "*/*", true },
		{ "navigate", NULL, true },
		/* fetch(), whatever it accepts */
		{ "cors", "text/html", false },
		{ "same-origin", "*/*", false },
		{ "no-cors", "text/html", false },
	};
	struct answer *a = *state;

	for (size_t i = 0; i < COUNT(clients); i++) {
		a->rs.started = false;
		buf_clear(&a->m.text);
		memory_set(&a->m, "HTTP_SEC_FETCH_MODE", clients[i].mode);
		memory_set(&a->m, "HTTP_ACCEPT", clients[i].accept);
		assert_ok(problem_answer(&a->rq, &a->rs, ERR_NOT_FOUND));
		assert_int_equal(memory_status(&a->m), 404);
		assert_span(memory_header(&a->m, "Vary"), "Accept");
		assert_span_str(memory_header(&a->m, "Content-Type"),
				clients[i].page ? "text/html; charset=utf-8"
						: "application/problem+json");
		assert_int_equal(
			memory_has_header(&a->m, "Content-Security-Policy"),
			clients[i].page);
	}
}

/* The page for `detail` at `url`, terminated */
static const char *page(struct answer *a, const char *url, const char *detail)
{
	enum err e = response_explain(&a->rs, ERR_INVALID, "%s", detail);

	a->rs.started = false;
	buf_clear(&a->m.text);
	memory_set(&a->m, "HTTP_SEC_FETCH_MODE", "navigate");
	memory_set(&a->m, "REQUEST_URI", url);
	assert_ok(problem_answer(&a->rq, &a->rs, e));
	buf_add_char(&a->m.text, '\0');
	return a->m.text.p;
}

static void the_page_escapes_what_it_shows(void **state)
{
	const char *html =
		page(*state, "/", "<b> & \"<script>alert(1)</script>\" x.");

	assert_contains(html, "<p>&lt;b&gt; &amp; &quot;&lt;script&gt;alert(1)"
			      "&lt;/script&gt;&quot; x.</p>");
	assert_lacks(html, "<script");
	assert_lacks(html, "<b>");
}

static void the_page_leads_home_from_any_depth(void **state)
{
	static const struct {
		const char *url, *home;
	} pages[] = {
		{ "/files", "href=\"./\"" },
		{ "/files?a=/b/c", "href=\"./\"" },
		{ "/files/x", "href=\"./../\"" },
		{ "/a/b/c?d", "href=\"./../../\"" },
		{ "/\"><script>", "href=\"./\"" },
		{ NULL, "href=\"./\"" },
	};

	for (size_t i = 0; i < COUNT(pages); i++)
		assert_contains(page(*state, pages[i].url, "It failed."),
				pages[i].home);
}

static void the_page_of_a_route_of_the_api_says_that_it_is_for_programs(
	void **state)
{
	static const struct {
		enum err e;
		bool for_programs;
	} errors[] = {
		{ ERR_NO_TOKEN, true },	    { ERR_METHOD, true },
		{ ERR_NOT_FOUND, false },   { ERR_GONE, false },
		{ ERR_UNAVAILABLE, false },
	};
	struct answer *a = *state;

	memory_set(&a->m, "HTTP_SEC_FETCH_MODE", "navigate");
	for (size_t i = 0; i < COUNT(errors); i++) {
		a->rs.started = false;
		buf_clear(&a->m.text);
		assert_ok(problem_answer(&a->rq, &a->rs, errors[i].e));
		buf_add_char(&a->m.text, '\0');
		assert_int_equal(strstr(a->m.text.p, "is for programs") != NULL,
				 errors[i].for_programs);
	}
}

/* What the client gets when the server has failed with `status` */
static int in_place_of_server(struct answer *a, int status,
			      enum server_error_place place)
{
	const struct server_error e = { .status = status, .place = place };

	response_release(&a->rs);
	response_init(&a->rs, &a->m.base, false);
	buf_clear(&a->m.text);
	assert_ok(problem_answer_server(&a->rq, &a->rs, &e));
	assert_span(memory_header(&a->m, "Content-Type"),
		    "application/problem+json");
	return memory_status(&a->m);
}

static void an_error_of_the_server_keeps_its_status(void **state)
{
	static const int kept[] = { 400, 403, 404, 405, 408, 411, 413, 414,
				    416, 417, 431, 501, 502, 503, 504, 505 };
	struct answer *a = *state;

	for (size_t i = 0; i < COUNT(kept); i++)
		assert_int_equal(in_place_of_server(a, kept[i], AT_REQUEST),
				 kept[i]);
	assert_int_equal(in_place_of_server(a, 499, AT_REQUEST), 400);
}

static void a_failure_of_the_server_says_when_to_come_again(void **state)
{
	static const int failures[] = { 500, 502, 503, 504, 599 };
	struct answer *a = *state;

	for (size_t i = 0; i < COUNT(failures); i++) {
		(void)in_place_of_server(a, failures[i], AT_PROGRAM);
		assert_span(memory_header(&a->m, "Retry-After"), "1");
		assert_int_equal(
			in_place_of_server(a, failures[i], AT_PROGRAM_HEAD),
			423);
		assert_span(memory_header(&a->m, "Retry-After"), "1");
	}
	assert_int_equal(in_place_of_server(a, 500, AT_PROGRAM), 503);
	assert_int_equal(in_place_of_server(a, 404, AT_PROGRAM_HEAD), 404);
	assert_false(memory_has_header(&a->m, "Retry-After"));
}

static void a_body_over_the_free_space_of_the_spool_is_507(void **state)
{
	struct answer *a = *state;

	memory_set(&a->m, "GATEHOUSE_SPOOL", "/tmp");
	memory_set(&a->m, "HTTP_CONTENT_LENGTH", "9000000000000000000");
	assert_int_equal(in_place_of_server(a, 500, AT_PROGRAM_BODY), 507);
	assert_false(memory_has_header(&a->m, "Retry-After"));
	assert_int_equal(in_place_of_server(a, 500, AT_PROGRAM), 503);
	assert_int_equal(in_place_of_server(a, 503, AT_PROGRAM_BODY), 503);
	memory_set(&a->m, "HTTP_CONTENT_LENGTH", "1");
	assert_int_equal(in_place_of_server(a, 500, AT_PROGRAM_BODY), 503);
	memory_set(&a->m, "HTTP_CONTENT_LENGTH", NULL);
	assert_int_equal(in_place_of_server(a, 500, AT_PROGRAM_BODY), 503);
	memory_set(&a->m, "HTTP_CONTENT_LENGTH", "9000000000000000000");
	memory_set(&a->m, "GATEHOUSE_SPOOL", "/no/such/folder");
	assert_int_equal(in_place_of_server(a, 500, AT_PROGRAM_BODY), 503);
}

int main(void)
{
#define FIXTURE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(every_error_has_its_status_slug_and_challenge),
		FIXTURE_TEST(every_error_is_in_the_contract),
		FIXTURE_TEST(every_problem_has_five_members_and_a_detail),
		FIXTURE_TEST(an_explanation_replaces_the_detail),
		FIXTURE_TEST(the_operators_message_is_not_in_the_answer),
		FIXTURE_TEST(a_503_has_retry_after_and_a_507_has_none),
		FIXTURE_TEST(a_429_has_retry_after_in_seconds),
		FIXTURE_TEST(
			an_unsent_answer_is_replaced_but_for_its_kept_headers),
		FIXTURE_TEST(a_started_answer_is_not_changed),
		FIXTURE_TEST(head_gets_the_headers_of_its_problem),
		FIXTURE_TEST(a_problem_that_is_opened_in_a_browser_is_a_page),
		FIXTURE_TEST(the_page_escapes_what_it_shows),
		FIXTURE_TEST(the_page_leads_home_from_any_depth),
		FIXTURE_TEST(
			the_page_of_a_route_of_the_api_says_that_it_is_for_programs),
		FIXTURE_TEST(an_error_of_the_server_keeps_its_status),
		FIXTURE_TEST(a_failure_of_the_server_says_when_to_come_again),
		FIXTURE_TEST(a_body_over_the_free_space_of_the_spool_is_507),
	};

	return RUN(tests);
}
