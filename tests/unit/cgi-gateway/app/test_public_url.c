#include "cgi-gateway/app/public_url.h"
#include "tests/unit/transport_memory.h"
#include "tests/unit/unit.h"

enum {
	NOW = 1767225600, /* 2026-01-01T00:00:00Z */
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

/* --- URLs ---------------------------------------------------------------- */

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

static void a_url_without_public_url_is_a_path_at_the_root(void **state)
{
	(void)state;
	check_url("", (struct span) { NULL, 0 }, "/files/x");
}

static void a_url_keeps_the_prefix_of_a_cgi_program(void **state)
{
	(void)state;
	check_url("", SPAN("/cgi-bin/cgi-gateway"),
		  "/cgi-bin/cgi-gateway/files/x");
}

static void a_url_begins_with_public_url(void **state)
{
	(void)state;
	check_url("https://files.example.org", (struct span) { NULL, 0 },
		  "https://files.example.org/files/x");
	check_url("https://example.org/files", (struct span) { NULL, 0 },
		  "https://example.org/files/files/x");
	check_url("https://example.org", SPAN("/cgi-bin/cgi-gateway"),
		  "https://example.org/cgi-bin/cgi-gateway/files/x");
}

static void a_page_of_the_site_has_no_prefix(void **state)
{
	struct buf url;

	(void)state;
	app.public_url = "https://example.org/";
	rq.prefix = SPAN("/cgi-bin/cgi-gateway");
	buf_init(&url, REQUEST_PATH_MAX);
	public_url_add_page(&app, &rq, "/upload-link.html#", &url);
	assert_span(buf_span(&url), "https://example.org/upload-link.html#");
	buf_release(&url);
}

static void a_slash_at_the_end_of_public_url_is_not_doubled(void **state)
{
	(void)state;
	check_url("https://files.example.org/", (struct span) { NULL, 0 },
		  "https://files.example.org/files/x");
	check_url("/", (struct span) { NULL, 0 }, "/files/x");
	check_url("https://example.org/", SPAN("/cgi-bin/cgi-gateway"),
		  "https://example.org/cgi-bin/cgi-gateway/files/x");
}

/* The reference to /files/x in an answer to a request for `uri` */
static void check_reference(const char *uri, const char *want)
{
	struct buf url;

	memory_set(&memory, "REQUEST_URI", uri);
	buf_init(&url, REQUEST_PATH_MAX);
	public_url_add_reference(&app, &rq, "/files/x", &url);
	assert_span_str(buf_span(&url), want);
	buf_release(&url);
}

static void a_reference_is_relative_below_a_path_that_is_not_known(void **state)
{
	(void)state;
	check_reference("/upload", "/files/x");
	memory_set(&memory, "HTTP_X_FORWARDED_FOR", "192.0.2.1");
	check_reference("/upload?name=a/b", "files/x");
	check_reference("/tus/", "../files/x");
	check_reference("/u/token/name", "../../files/x");
	/* without REQUEST_URI, the path counts */
	check_reference("", "files/x");
	rq.outer_prefix = SPAN("/below");
	check_reference("/tus/", "/below/files/x");
	rq.outer_prefix = SPAN("");
	rq.prefix = SPAN("/cgi-bin/cgi-gateway");
	check_reference("/cgi-bin/cgi-gateway/tus/",
			"/cgi-bin/cgi-gateway/files/x");
	app.public_url = "https://example.org/below/";
	check_reference(
		"/tus/",
		"https://example.org/below/cgi-bin/cgi-gateway/files/x");
}

static void a_url_is_below_the_path_that_a_proxy_names(void **state)
{
	(void)state;
	rq.outer_prefix = SPAN("/below");
	check_url("", SPAN(""), "/below/files/x");
	check_url("", SPAN("/cgi-bin/cgi-gateway"),
		  "/below/cgi-bin/cgi-gateway/files/x");
	check_url("https://example.org", SPAN(""),
		  "https://example.org/files/x");
}

/* --- a file as JSON ------------------------------------------------------ */

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

static void check_json(const struct file *f, const char *want)
{
	struct json_object *o = public_url_file_json(&app, &rq, f);

	assert_non_null(o);
	assert_span_str(json_write(o), want);
	json_object_put(o);
}

static void a_file_s_json_has_all_but_the_owner(void **state)
{
	(void)state;
	check_json(&euro, EURO "\"expires_at\":null," EURO_URL);
}

static void a_file_of_an_older_version_has_a_null_claimed_type(void **state)
{
	struct file f = euro;

	(void)state;
	f.claimed_type[0] = '\0';
	check_json(&f, EURO_CLAIMED("null") "\"expires_at\":null," EURO_URL);
}

static void a_file_that_expires_has_the_time(void **state)
{
	struct file f = euro;

	(void)state;
	f.expires_at = NOW + 1;
	check_json(&f,
		   EURO "\"expires_at\":\"2026-01-01T00:00:01Z\"," EURO_URL);
}

static void a_file_by_an_upload_link_has_the_link_s_id(void **state)
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

#define URL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		URL_TEST(a_url_without_public_url_is_a_path_at_the_root),
		URL_TEST(a_url_keeps_the_prefix_of_a_cgi_program),
		URL_TEST(a_url_begins_with_public_url),
		URL_TEST(a_page_of_the_site_has_no_prefix),
		URL_TEST(a_slash_at_the_end_of_public_url_is_not_doubled),
		URL_TEST(
			a_reference_is_relative_below_a_path_that_is_not_known),
		URL_TEST(a_url_is_below_the_path_that_a_proxy_names),
		URL_TEST(a_file_s_json_has_all_but_the_owner),
		URL_TEST(a_file_of_an_older_version_has_a_null_claimed_type),
		URL_TEST(a_file_that_expires_has_the_time),
		URL_TEST(a_file_by_an_upload_link_has_the_link_s_id),
	};

	return RUN(tests);
}
