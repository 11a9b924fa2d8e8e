#include "common/http/route_input.h"
#include "tests/unit/transport_memory.h"
#include "tests/unit/unit.h"

static enum err nothing(void *app, struct request *rq, struct response *rs)
{
	(void)app;
	(void)rq;
	return response_empty(rs, 204);
}

static const struct route plain = { "POST", "/plain", nothing, NO_AUTH };
static const struct route named = { "PUT", "/named/*?name&sha256", nothing,
				    NO_AUTH | TAKES_BODY };
static const struct route any = { "POST", "/any?*", nothing, NO_AUTH };

static char detail[256];

static enum err check(const struct route *route, const char *method,
		      const char *query, const char *type, struct span body)
{
	struct memory m;
	struct arena arena;
	struct request rq;
	struct response rs;
	enum err e;

	arena_init(&arena);
	memory_init(&m, method, "/");
	memory_set(&m, "QUERY_STRING", query);
	if (body.len > 0)
		memory_body(&m, body, 3);
	memory_set(&m, "CONTENT_TYPE", type);
	assert_ok(request_init(&rq, &m.base, &arena, "x", 0));
	response_init(&rs, &m.base, rq.head);
	e = route_input_check(route, &rq, &rs);
	(void)snprintf(detail, sizeof(detail), "%s", rs.detail);
	response_release(&rs);
	memory_release(&m);
	arena_release(&arena);
	return e;
}

static enum err query(const struct route *route, const char *text)
{
	return check(route, "POST", text, NULL, (struct span) { NULL, 0 });
}

static void a_parameter_that_the_route_names_passes(void **state)
{
	(void)state;
	assert_ok(query(&named, ""));
	assert_ok(query(&named, "name=a&sha256=b"));
	assert_ok(query(&named, "&&name&"));
	assert_ok(query(&plain, "&="));
}

static void an_unknown_parameter_is_refused_by_name(void **state)
{
	(void)state;
	assert_err(query(&named, "name=a&nam=b"), ERR_INVALID);
	assert_contains(detail, "?nam=");
	assert_contains(detail, "takes: name, sha256.");
	assert_err(query(&plain, "x"), ERR_INVALID);
	assert_contains(detail, "takes: none");
	assert_err(query(&named, "Name=a"), ERR_INVALID);
	assert_err(query(&named, "\xff=a"), ERR_INVALID);
	assert_contains(detail, "(binary)");
}

static void a_parameter_that_occurs_twice_is_refused(void **state)
{
	(void)state;
	assert_err(query(&named, "name=a&name=b"), ERR_INVALID);
	assert_contains(detail, "twice");
}

static void a_route_can_take_every_parameter(void **state)
{
	(void)state;
	assert_ok(query(&any, "x=1&x=2"));
}

static void get_and_head_pass(void **state)
{
	const struct span body = SPAN("{\"a\":1}");

	(void)state;
	assert_ok(check(&plain, "GET", "x=1", "application/json", body));
	assert_ok(check(&plain, "HEAD", "x=1", "application/json", body));
}

static void a_body_that_the_route_does_not_take_must_be_empty(void **state)
{
	static const char json[] = "application/json";

	(void)state;
	assert_ok(check(&plain, "POST", "", json, SPAN("{ }")));
	assert_ok(check(&plain, "POST", "", json, SPAN("")));
	assert_ok(check(&plain, "POST", "", "text/plain", SPAN("")));
	assert_err(check(&plain, "POST", "", json, SPAN("{\"a\":1}")),
		   ERR_INVALID);
	assert_contains(detail, "a is not a member");
	assert_err(check(&plain, "DELETE", "", json, SPAN("[]")), ERR_FORMAT);
	assert_err(check(&plain, "POST", "", "text/plain", SPAN("a")),
		   ERR_MEDIA_TYPE);
	assert_err(check(&plain, "POST", "", NULL, SPAN("a")), ERR_MEDIA_TYPE);
	assert_ok(check(&named, "POST", "", "text/plain", SPAN("a")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_parameter_that_the_route_names_passes),
		TEST(an_unknown_parameter_is_refused_by_name),
		TEST(a_parameter_that_occurs_twice_is_refused),
		TEST(a_route_can_take_every_parameter),
		TEST(get_and_head_pass),
		TEST(a_body_that_the_route_does_not_take_must_be_empty),
	};

	return RUN(tests);
}
