#include "common/http/origin.h"

#include "common/http/client.h"

/* "https://a.example:8443/path" → "a.example:8443"; *port is ":443" or ":80".
 * Empty if it is no URL of http or https. */
static struct span authority_of(struct span url, struct span *port)
{
	struct span rest = { NULL, 0 }, path;

	if (span_has_prefix_nocase(url, SPAN("https://"))) {
		rest = span_from(url, sizeof("https://") - 1);
		*port = SPAN(":443");
	} else if (span_has_prefix_nocase(url, SPAN("http://"))) {
		rest = span_from(url, sizeof("http://") - 1);
		*port = SPAN(":80");
	}
	(void)span_cut(&rest, '/', &path);
	return rest;
}

static struct span without_port(struct span s, struct span port)
{
	if (s.len > port.len && span_eq(span_from(s, s.len - port.len), port))
		s.len -= port.len;
	return s;
}

bool origin_is_of(struct span origin, struct span authority)
{
	struct span port = { NULL, 0 }, host = authority_of(origin, &port);

	return host.len > 0 && span_eq_nocase(without_port(host, port),
					      without_port(authority, port));
}

/* The first of a list: the one that the client has sent to the first proxy */
static struct span forwarded_host(const struct request *rq)
{
	struct span list = request_header(rq, "X-Forwarded-Host"), rest;

	(void)span_cut(&list, ',', &rest);
	return span_trim(list);
}

bool origin_is_ours(const struct request *rq, const struct origin_rules *rules)
{
	struct span origin = request_header(rq, "Origin"), port;

	if (origin.len == 0 || span_list_has(span_of(rules->listed), origin) ||
	    origin_is_of(origin, request_header(rq, "Host")) ||
	    origin_is_of(origin,
			 authority_of(span_of(rules->public_url), &port)))
		return true;
	return client_is_proxy(rq, rules->trusted_proxies) &&
	       origin_is_of(origin, forwarded_host(rq));
}
