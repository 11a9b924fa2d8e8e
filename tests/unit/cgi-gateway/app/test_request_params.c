#include "cgi-gateway/app/public_url.h"
#include "cgi-gateway/app/request_params.h"
#include "cgi-gateway/tables/file_json.h"
#include "tests/unit/transport_memory.h"
#include "tests/unit/unit.h"

enum {
	NOW = 1767225600, /* 2026-01-01T00:00:00Z */
	TEN_YEARS = 10 * 366 * 86400,
};

static struct app app;
static struct memory memory;
static struct arena arena;
static struct request rq;
static struct response rs;

static int set_up(void **state)
{
	(void)state;
	app = (struct app) { .public_url = "" };
	memory_init(&memory, "GET", "/files");
	arena_init(&arena);
	response_init(&rs, &memory.base, false);
	return request_init(&rq, &memory.base, &arena, "cgi-gateway",
			    NOW * INT64_C(1000)) == ERR_OK
		       ? 0
		       : -1;
}

static int tear_down(void **state)
{
	(void)state;
	response_release(&rs);
	memory_release(&memory);
	arena_release(&arena);
	return 0;
}

/* --- URLs
 * ------------------------------------------------------------------------- */

static void check_url(const char *public_url, struct span prefix,
		      const char *want)
{
	struct buf url;

	app.public_url = public_url;
	rq.prefix = prefix;
	buf_init(&url, REQUEST_PATH_MAX);
	public_url_add(&app, &rq, "/files/x", &url);
	assert_ok(buf_error(&url));
	assert_span_str(buf_span(&url), want);
	buf_release(&url);
}

static void a_url_is_a_path_at_the_root(void **state)
{
	(void)state;
	check_url("", (struct span) { NULL, 0 }, "/files/x");
}

static void a_url_goes_through_a_cgi_program_that_is_seen(void **state)
{
	(void)state;
	check_url("", SPAN("/cgi-bin/cgi-gateway"),
		  "/cgi-bin/cgi-gateway/files/x");
}

static void the_public_url_stands_first(void **state)
{
	(void)state;
	check_url("https://files.example.org", (struct span) { NULL, 0 },
		  "https://files.example.org/files/x");
	check_url("https://example.org/files", (struct span) { NULL, 0 },
		  "https://example.org/files/files/x");
	check_url("https://example.org", SPAN("/cgi-bin/cgi-gateway"),
		  "https://example.org/cgi-bin/cgi-gateway/files/x");
}

static void a_page_of_the_site_is_behind_no_program(void **state)
{
	struct buf url;

	(void)state;
	app.public_url = "https://example.org/";
	rq.prefix = SPAN("/cgi-bin/cgi-gateway");
	buf_init(&url, REQUEST_PATH_MAX);
	public_url_add_page(&app, "/drop.html#", &url);
	assert_span(buf_span(&url), "https://example.org/drop.html#");
	buf_release(&url);
}

static void a_slash_at_the_end_of_the_public_url_is_not_doubled(void **state)
{
	(void)state;
	check_url("https://files.example.org/", (struct span) { NULL, 0 },
		  "https://files.example.org/files/x");
	check_url("/", (struct span) { NULL, 0 }, "/files/x");
	check_url("https://example.org/", SPAN("/cgi-bin/cgi-gateway"),
		  "https://example.org/cgi-bin/cgi-gateway/files/x");
}

/* --- the record
 * --------------------------------------------------------------------- */

static const struct file euro = {
	.id = "0190b3a2-0000-7000-8000-0000000000ab",
	.owner = 42,
	.name = "\xe2\x82\xac \"x\"/\\.txt",
	.type = "text/plain",
	.claimed_type = "text/x-odd",
	.size = 9007199254740993, /* 2^53 + 1 */
	.sha256 = { 0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14,
		    0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
		    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c,
		    0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55 },
	.created_at = NOW,
};

#define EURO EURO_CLAIMED("\"text/x-odd\"")
#define EURO_CLAIMED(claimed)                                \
	"{\"id\":\"0190b3a2-0000-7000-8000-0000000000ab\","  \
	"\"name\":\"\xe2\x82\xac \\\"x\\\"/\\\\.txt\","      \
	"\"size\":9007199254740993,\"type\":\"text/plain\"," \
	"\"claimed_type\":" claimed ","                      \
	"\"sha256\":\"e3b0c44298fc1c149afbf4c8996fb924"      \
	"27ae41e4649b934ca495991b7852b855\","                \
	"\"created_at\":\"2026-01-01T00:00:00Z\","
#define EURO_URL                \
	"\"upload_link\":null," \
	"\"url\":\"/download/0190b3a2-0000-7000-8000-0000000000ab\"}"

static void check_record(const struct file *f, const char *want)
{
	struct json_object *o = public_url_file_json(&app, &rq, f);

	assert_non_null(o);
	assert_span_str(json_write(o), want);
	json_object_put(o);
}

static void a_record_tells_all_but_the_owner(void **state)
{
	(void)state;
	check_record(&euro, EURO "\"expires_at\":null," EURO_URL);
}

static void a_file_from_before_claims_were_kept_has_none(void **state)
{
	struct file f = euro;

	(void)state;
	f.claimed_type[0] = '\0';
	check_record(&f, EURO_CLAIMED("null") "\"expires_at\":null," EURO_URL);
}

static void a_file_that_ends_says_when(void **state)
{
	struct file f = euro;

	(void)state;
	f.expires_at = NOW + 1;
	check_record(&f,
		     EURO "\"expires_at\":\"2026-01-01T00:00:01Z\"," EURO_URL);
}

static void a_file_that_came_by_a_link_says_by_which(void **state)
{
	struct file f = euro;
	struct json_object *o;

	(void)state;
	(void)snprintf(f.upload_link, sizeof(f.upload_link), "%s",
		       "dtbiMbuCkHT00MBH3pD14A");
	o = public_url_file_json(&app, &rq, &f);
	assert_contains(json_write(o).p,
			"\"upload_link\":\"dtbiMbuCkHT00MBH3pD14A\",");
	json_object_put(o);
}

static void a_receipt_tells_no_more_than_its_reader_has_sent(void **state)
{
	struct json_object *o = file_json_receipt(&euro);

	(void)state;
	assert_non_null(o);
	assert_span(json_write(o),
		    "{\"name\":\"\xe2\x82\xac \\\"x\\\"/\\\\.txt\","
		    "\"size\":9007199254740993,"
		    "\"sha256\":\"e3b0c44298fc1c149afbf4c8996fb924"
		    "27ae41e4649b934ca495991b7852b855\"}");
	json_object_put(o);
}

static void what_is_zero_is_never_or_none(void **state)
{
	struct json_object *o = json_object_new_object();

	(void)state;
	file_json_set_time(o, "a", 0);
	file_json_set_time(o, "b", NOW);
	file_json_set_limit(o, "c", 0);
	file_json_set_limit(o, "d", 7);
	assert_span(json_write(o), "{\"a\":null,\"b\":\"2026-01-01T00:00:00Z\","
				   "\"c\":null,\"d\":7}");
	json_object_put(o);
}

/* --- whose files
 * ---------------------------------------------------------------------- */

static struct session_check who;

static enum err owner(const char *query, bool admin, const char *scope,
		      uint64_t *out)
{
	rq.query = span_of(query);
	rq.claims = (struct claims) { .user_id = 42, .admin = admin };
	(void)snprintf(rq.claims.scope, sizeof(rq.claims.scope), "%s", scope);
	return request_owner(&app, &rq, &rs, "files:read", &who, out);
}

static void a_user_asks_for_their_own_files(void **state)
{
	uint64_t id = 77;

	(void)state;
	assert_ok(owner("", false, "files:read", &id));
	assert_int_equal(id, 0);
	id = 77;
	assert_ok(owner("owners=7&q=owner", false, "files:read", &id));
	assert_int_equal(id, 0);
	id = 77;
	assert_ok(owner("", true, "files:read admin", &id));
	assert_int_equal(id, 0);
}

static void a_token_s_session_is_what_is_asked_for(void **state)
{
	uint64_t id;

	(void)state;
	(void)snprintf(rq.bearer_id.session, sizeof(rq.bearer_id.session), "%s",
		       "AAAAAAAAAAAAAAAAAAAAAA");
	assert_ok(owner("", false, "files:read", &id));
	assert_string_equal(who.session, "AAAAAAAAAAAAAAAAAAAAAA");
	assert_true(who.now == NOW);
	assert_true(who.secret.kind == DB_NULL);
	/* an access token's scope was asked for by bearer_check() */
	assert_string_equal(who.pattern, "%");
	rq.bearer_id.api = true;
	memset(rq.bearer_id.secret, 's', SHA256_LEN);
	assert_ok(owner("", false, "", &id));
	assert_true(who.secret.kind == DB_BYTES);
	assert_int_equal(who.secret.s.len, SHA256_LEN);
	assert_memory_equal(who.secret.s.p, rq.bearer_id.secret, SHA256_LEN);
	assert_string_equal(who.pattern, "% files:read %");
}

static void an_admin_may_ask_for_another_s(void **state)
{
	uint64_t id = 0;

	(void)state;
	assert_ok(owner("owner=7", true, "files:read admin", &id));
	assert_int_equal(id, 7);
	assert_ok(owner("q=x&owner=9223372036854775807", true, "admin", &id));
	assert_true(id == INT64_MAX);
}

static void nobody_else_may(void **state)
{
	uint64_t id = 77;

	(void)state;
	assert_err(owner("owner=7", false, "files:read files:write", &id),
		   ERR_SCOPE);
	/* neither alone is enough: a scope may be asked for less */
	assert_err(owner("owner=7", true, "files:read", &id), ERR_SCOPE);
	assert_err(owner("owner=7", false, "files:read admin", &id), ERR_SCOPE);
	assert_err(owner("owner=7", true, "administrator", &id), ERR_SCOPE);
	/* nor a parameter that was written otherwise */
	assert_err(owner("owner=", false, "files:read", &id), ERR_SCOPE);
	assert_err(owner("owner", false, "files:read", &id), ERR_SCOPE);
	assert_err(owner("owner=7&owner=42", false, "files:read", &id),
		   ERR_SCOPE);
	/* 0 are one's own: a refusal may have said that, never another's */
	assert_int_equal(id, 0);
}

static void what_is_no_user_s_number_is_refused(void **state)
{
	static const char *const queries[] = {
		"owner=",
		"owner",
		"owner=0",
		"owner=00",
		"owner=-1",
		"owner=+1",
		"owner=1.0",
		"owner=abc",
		"owner=1%00",
		"owner=%207",
		"owner=9223372036854775808",
		"owner=18446744073709551658",
	};
	uint64_t id = 77;

	(void)state;
	for (size_t i = 0; i < COUNT(queries); i++)
		assert_err(owner(queries[i], true, "admin", &id), ERR_INVALID);
	assert_err(owner("owner=%zz", true, "admin", &id), ERR_FORMAT);
	assert_int_equal(id, 0);
}

/* --- expiry
 * ---------------------------------------------------------------------------
 */

static void a_file_lives_from_a_second_to_ten_years(void **state)
{
	int64_t at = -7;

	(void)state;
	assert_ok(request_expiry(&rq, &rs, 1, &at));
	assert_int_equal(at, NOW + 1);
	assert_ok(request_expiry(&rq, &rs, TEN_YEARS, &at));
	assert_int_equal(at, NOW + (int64_t)TEN_YEARS);
}

static void any_other_life_is_refused(void **state)
{
	static const int64_t wrong[] = { 0, -1, TEN_YEARS + 1, INT64_MAX,
					 INT64_MIN };
	int64_t at = -7;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		rs.detail[0] = '\0';
		assert_err(request_expiry(&rq, &rs, wrong[i], &at),
			   ERR_INVALID);
		assert_contains(rs.detail, "expires_in");
	}
	assert_int_equal(at, -7);
}

#define RECORD(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RECORD(a_url_is_a_path_at_the_root),
		RECORD(a_url_goes_through_a_cgi_program_that_is_seen),
		RECORD(the_public_url_stands_first),
		RECORD(a_page_of_the_site_is_behind_no_program),
		RECORD(a_slash_at_the_end_of_the_public_url_is_not_doubled),
		RECORD(a_record_tells_all_but_the_owner),
		RECORD(a_file_from_before_claims_were_kept_has_none),
		RECORD(a_file_that_ends_says_when),
		RECORD(a_file_that_came_by_a_link_says_by_which),
		RECORD(a_receipt_tells_no_more_than_its_reader_has_sent),
		RECORD(what_is_zero_is_never_or_none),
		RECORD(a_user_asks_for_their_own_files),
		RECORD(a_token_s_session_is_what_is_asked_for),
		RECORD(an_admin_may_ask_for_another_s),
		RECORD(nobody_else_may),
		RECORD(what_is_no_user_s_number_is_refused),
		RECORD(a_file_lives_from_a_second_to_ten_years),
		RECORD(any_other_life_is_refused),
	};

	return RUN(tests);
}
