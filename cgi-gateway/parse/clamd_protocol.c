#include "cgi-gateway/parse/clamd_protocol.h"

enum { PORT_MAX = 65535 };

static bool is_port(struct span text)
{
	int64_t n;

	return text.len <= 5 && span_to_int(text, &n) && n > 0 && n <= PORT_MAX;
}

enum err clamd_address_parse(struct span text, struct clamd_address *out)
{
	struct clamd_address a = { .path = "" };
	struct span host = text, port;

	if (span_has_prefix(text, SPAN("/"))) {
		if (!span_to_cstr(text, a.path, sizeof(a.path)))
			return ERR_FORMAT;
		*out = a;
		return ERR_OK;
	}
	if (!span_cut_last(&host, ':', &port) || !is_port(port))
		return ERR_FORMAT;
	if (span_has_prefix(host, SPAN("[")) &&
	    span_has_suffix(host, SPAN("]")))
		host = (struct span) { host.p + 1, host.len - 2 };
	else if (span_find(host, ':') < host.len)
		return ERR_FORMAT; /* ambiguous: where is the port? */
	if (host.len == 0 || !span_to_cstr(host, a.host, sizeof(a.host)) ||
	    !span_to_cstr(port, a.port, sizeof(a.port)))
		return ERR_FORMAT;
	*out = a;
	return ERR_OK;
}

void clamd_length(uint32_t bytes, char out[static CLAMD_LENGTH])
{
	for (int i = 0; i < CLAMD_LENGTH; i++)
		out[i] = (char)(unsigned char)(bytes >> (24 - 8 * i));
}

/* Copy a signature's name. It appears in responses and logs, so it must be
 * plain text, whatever a signature file contains */
static void copy_signature(struct span name,
			   char out[static CLAMD_SIGNATURE_MAX + 1])
{
	size_t n =
		name.len < CLAMD_SIGNATURE_MAX ? name.len : CLAMD_SIGNATURE_MAX;

	for (size_t i = 0; i < n; i++)
		out[i] = name.p[i] > 0x20 && name.p[i] < 0x7f ? name.p[i] : '?';
	out[n] = '\0';
}

enum err clamd_reply_parse(struct span reply,
			   char signature[static CLAMD_SIGNATURE_MAX + 1])
{
	struct span found = SPAN(" FOUND"), stream = SPAN("stream: ");

	if (span_eq(reply, SPAN("stream: OK")))
		return ERR_OK;
	if (span_eq(reply, SPAN("INSTREAM size limit exceeded. ERROR")))
		return ERR_TOO_LARGE;
	if (span_has_suffix(reply, SPAN(" ERROR")))
		return ERR_IO;
	if (!span_has_prefix(reply, stream) || !span_has_suffix(reply, found) ||
	    reply.len <= stream.len + found.len)
		return ERR_FORMAT;
	copy_signature((struct span) { reply.p + stream.len,
				       reply.len - stream.len - found.len },
		       signature);
	return ERR_INFECTED;
}
