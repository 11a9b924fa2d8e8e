#include "cgi-gateway/parse/webhook_target.h"

/* Characters of a URL (RFC 3986 2), without the "#" of a fragment, which is
 * never sent */
static bool is_url_char(char c)
{
	const struct span others = SPAN("-._~:/?[]@!$&'()*+,;=%");

	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || span_find(others, c) < others.len;
}

static bool is_port(struct span s)
{
	int64_t n;

	return span_to_int(s, &n) && n > 0 && n <= UINT16_MAX;
}

/* Check for "host", "host:80", "[::1]" or "[::1]:80" */
static bool is_authority(struct span s)
{
	struct span rest;

	if (!span_has_prefix(s, SPAN("["))) {
		bool port = span_cut(&s, ':', &rest);

		return s.len > 0 && (!port || is_port(rest));
	}
	s = span_from(s, 1);
	return span_cut(&s, ']', &rest) && s.len > 0 &&
	       (rest.len == 0 ||
		(rest.p[0] == ':' && is_port(span_from(rest, 1))));
}

/* Return what is wrong with an address, or NULL */
static const char *fault(struct span url)
{
	struct span host, path;

	if (url.len > WEBHOOK_TARGET_URL_MAX)
		return "is longer than 255 bytes";
	if (span_has_prefix(url, SPAN("http://")))
		host = span_from(url, SPAN("http://").len);
	else if (span_has_prefix(url, SPAN("https://")))
		host = span_from(url, SPAN("https://").len);
	else
		return "does not begin with http:// or https://";
	for (size_t i = 0; i < host.len; i++)
		if (!is_url_char(host.p[i]))
			return "has a fragment, or a character that no URL may "
			       "have";
	(void)span_cut(&host, '?', &path);
	(void)span_cut(&host, '/', &path);
	if (span_find(host, '@') < host.len)
		return "has a user or password in it; remove it, the requests "
		       "are signed";
	return is_authority(host) ? NULL
				  : "must have a host, and may have a port "
				    "from 1 to 65535";
}

bool webhook_targets_has(const struct webhook_targets *r, const char *url)
{
	for (size_t i = 0; i < r->count; i++)
		if (span_eq(span_of(r->url[i]), span_of(url)))
			return true;
	return false;
}

/* Name the address by its number: it may contain a password */
static enum err add_target(struct webhook_targets *r, struct span url,
			   struct errmsg *why)
{
	const char *wrong = fault(url);

	if (wrong == NULL && r->count == WEBHOOK_TARGETS_MAX)
		wrong = "is one too many; at most 8 are possible";
	if (wrong == NULL) {
		char *place = r->url[r->count];

		(void)span_to_cstr(url, place, sizeof(r->url[0]));
		if (webhook_targets_has(r, place))
			wrong = "is listed twice; remove one";
	}
	if (wrong != NULL)
		return err_set(why, ERR_CONFIG, "EVENT_URLS: address %zu %s",
			       r->count + 1, wrong);
	r->count++;
	return ERR_OK;
}

enum err webhook_targets_read(struct span list, struct webhook_targets *out,
			      struct errmsg *why)
{
	struct webhook_targets r = { 0 };
	struct span url;
	enum err e = ERR_OK;

	while (e == ERR_OK && span_next(&list, ' ', &url))
		if (url.len > 0)
			e = add_target(&r, url, why);
	if (e == ERR_OK)
		*out = r;
	return e;
}
