#include "cgi-gateway/parse/link_visit.h"
#include "tests/unit/unit.h"

#define BROWSER \
	"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

static enum link_wants accepts(const char *accept)
{
	const struct link_visit v = { .accept = span_of(accept) };

	return link_visit_wants(&v);
}

static void a_program_gets_the_bytes(void **state)
{
	static const char *const fields[] = {
		"",
		"*/*",
		"application/json, text/plain, */*",
		"image/avif,image/webp,*/*;q=0.8",
		"application/octet-stream",
		"text/html;q=0.5, application/octet-stream",
		"text/html;q=0",
		"video/*",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++)
		assert_int_equal(accepts(fields[i]), LINK_WANTS_BYTES);
}

static void json_alone_gets_the_description(void **state)
{
	(void)state;
	assert_int_equal(accepts("application/json"), LINK_WANTS_DESCRIPTION);
	assert_int_equal(accepts("application/json, */*;q=0.1"),
			 LINK_WANTS_DESCRIPTION);
	assert_int_equal(accepts("application/json, text/html"),
			 LINK_WANTS_PAGE);
}

static void a_browser_gets_the_page(void **state)
{
	struct link_visit v = { .accept = SPAN(BROWSER) };

	(void)state;
	assert_int_equal(link_visit_wants(&v), LINK_WANTS_PAGE);
	v.fetch_dest = SPAN("document");
	assert_int_equal(link_visit_wants(&v), LINK_WANTS_PAGE);
	v.fetch_dest = SPAN("iframe");
	assert_int_equal(link_visit_wants(&v), LINK_WANTS_BYTES);
	v.fetch_dest = SPAN("");
	v.range = SPAN("bytes=5-");
	assert_int_equal(link_visit_wants(&v), LINK_WANTS_BYTES);
	v.range = SPAN("");
	v.explicit_bytes = true;
	assert_int_equal(link_visit_wants(&v), LINK_WANTS_BYTES);
}

static void a_prefetch_gets_no_bytes(void **state)
{
	const struct link_visit all[] = {
		{ .sec_purpose = SPAN("prefetch") },
		{ .sec_purpose = SPAN("Prefetch;prerender") },
		{ .purpose = SPAN("prefetch") },
		{ .purpose = SPAN("preview") },
		{ .x_purpose = SPAN("preview") },
		{ .x_moz = SPAN("prefetch") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		struct link_visit v = all[i];

		v.explicit_bytes = true;
		v.range = SPAN("bytes=0-");
		assert_true(link_visit_is_preview(&v));
		assert_int_equal(link_visit_wants(&v), LINK_WANTS_PAGE);
		v.accept = SPAN("application/json");
		assert_int_equal(link_visit_wants(&v), LINK_WANTS_DESCRIPTION);
	}
}

static void a_preview_is_known_by_its_user_agent(void **state)
{
	static const char *const previews[] = {
		"WHATSAPP/2",
		"facebookexternalhit/1.1",
		"Mozilla/5.0 (compatible; Discordbot/2.0)",
		"x Twitterbot",
		"Mozilla/5.0 (compatible; Unknownbot/0.1)",
		"Synapse (bot; +https://github.com/matrix-org/synapse)",
		"MicrosoftPreview/2.0",
		"Snap URL Preview Service",
		"line-poker/1.0",
		"kakaotalk-scrap/1.0",
	};
	static const char *const others[] = {
		"",
		"curl/8.0",
		"Wget/1.21.3",
		"aria2/1.36.0",
		"python-requests/2.28.1",
		"Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 "
		"Firefox/120.0",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, "
		"like Gecko) Chrome/120.0.0.0 Safari/537.36",
		"WhatsAp",
		"Mozilla/5.0 (Linux; Android 9; CUBOT_X19) Chrome/120.0.0.0",
	};
	struct link_visit v = { .accept = SPAN("*/*") };

	(void)state;
	for (size_t i = 0; i < COUNT(previews); i++) {
		v.user_agent = span_of(previews[i]);
		assert_int_equal(link_visit_wants(&v), LINK_WANTS_PAGE);
	}
	for (size_t i = 0; i < COUNT(others); i++) {
		v.user_agent = span_of(others[i]);
		assert_int_equal(link_visit_wants(&v), LINK_WANTS_BYTES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_program_gets_the_bytes),
		TEST(json_alone_gets_the_description),
		TEST(a_browser_gets_the_page),
		TEST(a_prefetch_gets_no_bytes),
		TEST(a_preview_is_known_by_its_user_agent),
	};

	return RUN(tests);
}
