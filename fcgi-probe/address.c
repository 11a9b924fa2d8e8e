#include "fcgi-probe/address.h"

#include "common/base/span.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

enum { PORT_MAX = 65535 };

static enum err unix_address(const char *path, struct address *out,
			     struct errmsg *why)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	if (!span_to_cstr(span_of(path), un.sun_path, sizeof(un.sun_path)))
		return err_set(why, ERR_INVALID,
			       "\"%.120s\": a socket's path has %zu bytes at "
			       "the most",
			       path, sizeof(un.sun_path) - 1);
	memcpy(&out->at, &un, sizeof(un));
	out->len = sizeof(un);
	return ERR_OK;
}

/* `host` without its brackets, if it is a number of either family */
static bool set_host(struct span host, in_port_t port, struct address *out)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = port };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = port };
	char text[INET6_ADDRSTRLEN];
	bool bracketed = span_has_prefix(host, SPAN("[")) &&
			 span_has_suffix(host, SPAN("]")) && host.len > 1;

	if (bracketed)
		host = (struct span) { host.p + 1, host.len - 2 };
	if (!span_to_cstr(host, text, sizeof(text)))
		return false;
	if (!bracketed && inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
		memcpy(&out->at, &v4, sizeof(v4));
		out->len = sizeof(v4);
		return true;
	}
	if (bracketed && inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
		memcpy(&out->at, &v6, sizeof(v6));
		out->len = sizeof(v6);
		return true;
	}
	return false;
}

enum err address_parse(const char *text, struct address *out,
		       struct errmsg *why)
{
	struct span host = span_of(text), port;
	int64_t n;

	if (text[0] == '/')
		return unix_address(text, out, why);
	if (span_cut_last(&host, ':', &port) && span_to_int(port, &n) &&
	    n >= 1 && n <= PORT_MAX && set_host(host, htons((uint16_t)n), out))
		return ERR_OK;
	return err_set(why, ERR_INVALID,
		       "\"%.120s\" is neither the path of a socket nor an "
		       "address like 127.0.0.1:9000 or [::1]:9000",
		       text);
}
