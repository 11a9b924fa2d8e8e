#include "common/http/client.h"

#include <arpa/inet.h>
#include <string.h>

enum {
	MAPPED_LEN = 12, /* bytes before the IPv4 address in ::ffff:0:0/96 */
	MAPPED_BITS = 96,
	ADDRESS_BITS = 128,
	NETWORK_BYTES = 8, /* of a /64 */
};

/* An address as IPv6; an IPv4 address is mapped (RFC 4291 2.5.5.2) */
struct address {
	unsigned char b[16];
};

static const unsigned char mapped[MAPPED_LEN] = { [10] = 0xff, [11] = 0xff };

static bool is_v4(const struct address *a)
{
	return memcmp(a->b, mapped, MAPPED_LEN) == 0;
}

static bool read_address(struct span s, struct address *out)
{
	char text[CLIENT_TEXT_MAX + 1];
	struct address a;

	if (!span_to_cstr(s, text, sizeof(text)))
		return false;
	memcpy(a.b, mapped, MAPPED_LEN);
	if (inet_pton(AF_INET, text, a.b + MAPPED_LEN) != 1 &&
	    inet_pton(AF_INET6, text, a.b) != 1)
		return false;
	*out = a;
	return true;
}

/* Read "192.0.2.1:80", "[2001:db8::1]:80", "[2001:db8::1]" or a bare address */
static bool read_hop(struct span s, struct address *out)
{
	struct span rest, port = { NULL, 0 };
	int64_t n;

	if (span_has_prefix(s, SPAN("["))) {
		s = span_from(s, 1);
		if (!span_cut(&s, ']', &rest) ||
		    (rest.len > 0 && rest.p[0] != ':'))
			return false;
		port = span_from(rest, 1);
	} else if (span_find(s, '.') < span_find(s, ':')) {
		(void)span_cut(&s, ':', &port);
	}
	return (port.len == 0 || span_to_int(port, &n)) && read_address(s, out);
}

/* Read an address, or a CIDR block of `bits` bits */
static bool read_block(struct span s, struct address *out, unsigned *bits)
{
	int64_t n = ADDRESS_BITS;
	struct span length;
	bool cut = span_cut(&s, '/', &length);

	if ((cut && !span_to_int(length, &n)) || !read_address(s, out))
		return false;
	/* "10.0.0.0/8" counts the bits of an IPv4 address */
	if (cut && is_v4(out) && span_find(s, ':') == s.len)
		n = n <= ADDRESS_BITS ? n + MAPPED_BITS : n;
	if (n > ADDRESS_BITS)
		return false;
	*bits = (unsigned)n;
	return true;
}

static bool in_block(const struct address *a, const struct address *block,
		     unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a->b, block->b, whole) != 0)
		return false;
	return rest == 0 ||
	       (unsigned char)(a->b[whole] ^ block->b[whole]) >> (8 - rest) ==
		       0;
}

static bool is_trusted(const struct address *a, struct span trusted)
{
	struct address block;
	struct span word;
	unsigned bits;

	while (span_next(&trusted, ' ', &word))
		if (read_block(word, &block, &bits) &&
		    in_block(a, &block, bits))
			return true;
	return false;
}

enum err client_check_trusted(struct span trusted, struct span *bad)
{
	struct address block;
	struct span word;
	unsigned bits;

	while (span_next(&trusted, ' ', &word)) {
		if (word.len > 0 && !read_block(word, &block, &bits)) {
			*bad = word;
			return ERR_FORMAT;
		}
	}
	return ERR_OK;
}

static void write_client(const struct address *a, struct client *out)
{
	struct address net = *a;

	if (is_v4(a)) {
		(void)inet_ntop(AF_INET, a->b + MAPPED_LEN, out->address,
				sizeof(out->address));
		memcpy(out->network, out->address, sizeof(out->network));
		return;
	}
	memset(net.b + NETWORK_BYTES, 0, sizeof(net.b) - NETWORK_BYTES);
	(void)inet_ntop(AF_INET6, a->b, out->address, sizeof(out->address));
	(void)inet_ntop(AF_INET6, net.b, out->network, sizeof(out->network));
	memcpy(out->network + strlen(out->network), "/64", sizeof("/64"));
}

void client_parse(struct span remote, struct span forwarded,
		  struct span trusted, struct client *out)
{
	struct address at, before;
	struct span hop;
	bool more = span_trim(forwarded).len > 0;

	*out = (struct client) { "", "" };
	if (!read_address(remote, &at))
		return;
	for (int i = 0; more && i < CLIENT_HOPS_MAX; i++) {
		if (!is_trusted(&at, trusted))
			break;
		hop = forwarded;
		more = span_cut_last(&forwarded, ',', &hop);
		/* Not an address ("unknown"): use that of the proxy that wrote
		 * it */
		if (!read_hop(span_trim(hop), &before))
			break;
		at = before;
	}
	write_client(&at, out);
}

void client_of(const struct request *rq, const char *trusted,
	       struct client *out)
{
	client_parse(request_variable(rq, "REMOTE_ADDR"),
		     request_header(rq, "X-Forwarded-For"), span_of(trusted),
		     out);
}

bool client_is_proxy(const struct request *rq, const char *trusted)
{
	struct address at;

	return read_address(request_variable(rq, "REMOTE_ADDR"), &at) &&
	       is_trusted(&at, span_of(trusted));
}

/* Whether `s` is a path that can be put into a URL, a header and a cookie. Not
 * "//host": that would be another server. */
static bool is_plain_path(struct span s)
{
	if (s.len < 2 || s.len > CLIENT_PREFIX_MAX || s.p[0] != '/' ||
	    s.p[1] == '/')
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];
		bool letter = (c >= 'a' && c <= 'z') ||
			      (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!letter &&
		    (c == '\0' || strchr("/-._~%!$&'()*+:@=", c) == NULL))
			return false;
	}
	return true;
}

/* Return the path of an absolute URL; of anything else, nothing */
static struct span path_of(struct span url)
{
	struct span rest;

	if (!span_cut(&url, ':', &rest) || !span_has_prefix(rest, SPAN("//")))
		return SPAN("");
	rest = span_from(rest, 2);
	return span_from(rest, span_find(rest, '/'));
}

struct span client_prefix(const struct request *rq, const char *trusted,
			  const char *public_url)
{
	struct span prefix = path_of(span_of(public_url)), sent;

	sent = span_trim(request_header(rq, "X-Forwarded-Prefix"));
	if (sent.len > 0 && client_is_proxy(rq, trusted))
		prefix = sent;
	while (span_has_suffix(prefix, SPAN("/")))
		prefix.len--;
	return is_plain_path(prefix) ? prefix : SPAN("");
}

bool client_uses_proxy(const struct request *rq)
{
	static const char *const fields[] = {
		"Forwarded",	     "Via",
		"X-Forwarded-For",   "X-Forwarded-Host",
		"X-Forwarded-Proto", "X-Real-IP",
	};

	/* nginx speaks HTTP/1.0 and adds no header, unless told otherwise */
	if (span_eq(request_variable(rq, "SERVER_PROTOCOL"), SPAN("HTTP/1.0")))
		return true;
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (request_header(rq, fields[i]).len > 0)
			return true;
	return false;
}
