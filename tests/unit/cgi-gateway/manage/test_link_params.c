#include "cgi-gateway/manage/link_params.h"
#include "tests/unit/transport_memory.h"
#include "tests/unit/unit.h"

enum { NOW = 1767225600, MAX = 1000 };

static struct memory memory;
static struct arena arena;
static struct request rq;
static struct response rs;

static int set_up(void **state)
{
	(void)state;
	memory_init(&memory, "POST", "/upload-links");
	memory_set(&memory, "CONTENT_TYPE", "application/json");
	arena_init(&arena);
	response_init(&rs, &memory.base, false);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	response_release(&rs);
	memory_release(&memory);
	arena_release(&arena);
	return 0;
}

/* The wish of a request with this body, owned; NULL for none that can be read
 */
static struct json_object *params_of(struct span body)
{
	static const char *const members[] = { "max_files", "expires_in",
					       NULL };
	struct json_object *o = NULL;

	memory_body(&memory, body, 5);
	assert_ok(request_init(&rq, &memory.base, &arena, "cgi-gateway",
			       NOW * INT64_C(1000)));
	if (link_params_read(&rq, &rs, members, &o) != ERR_OK)
		assert_null(o);
	return o;
}

static void an_empty_body_is_an_object_without_members(void **state)
{
	struct json_object *o = params_of(SPAN(""));

	(void)state;
	assert_non_null(o);
	assert_int_equal(json_object_object_length(o), 0);
	json_object_put(o);
}

static void a_body_is_one_object(void **state)
{
	struct json_object *o = params_of(SPAN("{\"max_files\":3}"));
	int64_t n = 0;

	(void)state;
	assert_ok(json_get_int(o, "max_files", &n));
	assert_int_equal(n, 3);
	json_object_put(o);
}

static void a_body_that_is_no_object_is_refused(void **state)
{
	(void)state;
	assert_null(params_of(SPAN("[1]")));
	assert_contains(rs.detail, "JSON object");
}

static enum err expiry(const char *text, int64_t *out)
{
	struct json_object *o = NULL;
	enum err e;

	assert_ok(json_read(span_of(text), &o));
	rq.now = NOW;
	rs.detail[0] = '\0';
	e = link_params_expiry(o, &rq, &rs, out);
	json_object_put(o);
	return e;
}

static void a_link_expires_after_a_week_or_after_expires_in(void **state)
{
	int64_t at = -7;

	(void)state;
	assert_ok(expiry("{}", &at));
	assert_int_equal(at, NOW + 7 * 86400);
	assert_ok(expiry("{\"expires_in\":60}", &at));
	assert_int_equal(at, NOW + 60);
	assert_ok(expiry("{\"expires_in\":null}", &at));
	assert_int_equal(at, LINK_PARAMS_NONE);
}

static void an_invalid_expires_in_is_refused(void **state)
{
	static const char *const wrong[] = { "0",   "-1",   "\"60\"",
					     "1.5", "true", "1000000000" };
	int64_t at = -7;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		char text[64];

		(void)snprintf(text, sizeof(text), "{\"expires_in\":%s}",
			       wrong[i]);
		assert_err(expiry(text, &at), ERR_INVALID);
		assert_contains(rs.detail, "expires_in");
	}
	assert_int_equal(at, -7);
}

static enum err limit(const char *value, int64_t *out)
{
	struct json_object *o = NULL;
	char text[64];
	enum err e;

	(void)snprintf(text, sizeof(text), "{\"max\":%s}", value);
	assert_ok(json_read(span_of(text), &o));
	rs.detail[0] = '\0';
	e = link_params_limit(o, "max", MAX, &rs, out);
	json_object_put(o);
	return e;
}

static void a_limit_is_a_number_or_none(void **state)
{
	int64_t n = -7;

	(void)state;
	assert_ok(limit("1", &n));
	assert_int_equal(n, 1);
	assert_ok(limit("1000", &n));
	assert_int_equal(n, MAX);
	assert_ok(limit("null", &n));
	assert_int_equal(n, LINK_PARAMS_NONE);
}

static void a_limit_without_a_member_keeps_its_value(void **state)
{
	struct json_object *o = json_object_new_object();
	int64_t n = 100;

	(void)state;
	assert_ok(link_params_limit(o, "max", MAX, &rs, &n));
	assert_int_equal(n, 100);
	json_object_put(o);
}

static void an_invalid_limit_is_refused(void **state)
{
	static const char *const wrong[] = { "0",     "-1",  "1001",
					     "\"1\"", "1.5", "[1]" };
	int64_t n = -7;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_err(limit(wrong[i], &n), ERR_INVALID);
		assert_contains(rs.detail, "max must be null or a number from "
					   "1 to 1000.");
	}
	assert_int_equal(n, -7);
}

#define WISH(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WISH(an_empty_body_is_an_object_without_members),
		WISH(a_body_is_one_object),
		WISH(a_body_that_is_no_object_is_refused),
		WISH(a_link_expires_after_a_week_or_after_expires_in),
		WISH(an_invalid_expires_in_is_refused),
		WISH(a_limit_is_a_number_or_none),
		WISH(a_limit_without_a_member_keeps_its_value),
		WISH(an_invalid_limit_is_refused),
	};

	return RUN(tests);
}
