/* The first line is EVENT_URLS, the rest EVENT_SECRET. */
#include "cgi-gateway/events/webhook.h"
#include "cgi-gateway/parse/webhook_target.h"
#include "tests/fuzz/fuzz.h"

#include <sodium.h>

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return sodium_init() < 0;
}

static void check_url(const char *url)
{
	struct span s = span_of(url), host, path;

	MUST(s.len > SPAN("http://").len && s.len <= WEBHOOK_TARGET_URL_MAX);
	MUST(span_has_prefix(s, SPAN("http://")) ||
	     span_has_prefix(s, SPAN("https://")));
	for (size_t i = 0; i < s.len; i++)
		MUST(s.p[i] > ' ' && s.p[i] <= '~' && s.p[i] != '#');
	host = span_from(s, span_find(s, '/') + 2);
	(void)span_cut(&host, '?', &path);
	(void)span_cut(&host, '/', &path);
	MUST(host.len > 0 && span_find(host, '@') == host.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = fuzz_copy(data, size), list = text, secret;
	struct webhook_targets r, again;
	struct webhook_keys keys;
	struct errmsg why;

	if (!span_cut(&list, '\n', &secret))
		secret = (struct span) { NULL, 0 };
	if (webhook_targets_read(list, &r, &why) == ERR_OK) {
		char joined[WEBHOOK_TARGETS_MAX * (WEBHOOK_TARGET_URL_MAX + 1) +
			    1] = "";
		size_t n = 0;

		MUST(r.count <= WEBHOOK_TARGETS_MAX);
		for (size_t i = 0; i < r.count; i++) {
			check_url(r.url[i]);
			n += (size_t)snprintf(joined + n, sizeof(joined) - n,
					      "%s ", r.url[i]);
		}
		MUST(webhook_targets_read(span_of(joined), &again, &why) ==
		     ERR_OK);
		MUST(again.count == r.count);
	} else {
		MUST(strncmp(why.text, "EVENT_URLS: ", 12) == 0);
	}
	if (webhook_keys_read(secret, &keys, &why) == ERR_OK) {
		MUST(keys.count > 0 && keys.count <= WEBHOOK_KEYS_MAX);
		webhook_keys_release(&keys);
	} else {
		MUST(strncmp(why.text, "EVENT_SECRET: ", 14) == 0);
	}
	fuzz_free(text);
	return 0;
}
