#include "common/http/response.h"

#include <stdarg.h>
#include <stdio.h>

void response_init(struct response *rs, struct transport *t, bool head_only)
{
	*rs = (struct response) {
		.transport = t,
		.status = 200,
		.head_only = head_only,
		.cache = "no-store",
	};
	buf_init(&rs->head, RESPONSE_HEAD_MAX);
}

void response_release(struct response *rs)
{
	buf_release(&rs->head);
}

void response_status(struct response *rs, int status)
{
	rs->status = status;
}

void response_header(struct response *rs, const char *name, struct span value)
{
	if (span_has_control(value)) {
		rs->head.error = ERR_FORMAT;
		return;
	}
	buf_add_str(&rs->head, name);
	buf_add(&rs->head, SPAN(": "));
	buf_add(&rs->head, value);
	buf_add(&rs->head, SPAN("\r\n"));
}

void response_header_str(struct response *rs, const char *name,
			 const char *value)
{
	response_header(rs, name, span_of(value));
}

void response_header_int(struct response *rs, const char *name, int64_t n)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%lld", (long long)n);
	response_header_str(rs, name, text);
}

/* RFC 9110 15, RFC 6585 and RFC 4918; 460 is from tus 1.0.0. Some servers pass
 * on the status unchanged, and a status line needs a phrase (RFC 9112 4). */
static const char *reason_phrase(int status)
{
	static const struct {
		int status;
		const char *phrase;
	} known[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 204, "No Content" },
		{ 206, "Partial Content" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 411, "Length Required" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 416, "Range Not Satisfiable" },
		{ 417, "Expectation Failed" },
		{ 422, "Unprocessable Content" },
		{ 423, "Locked" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 460, "Checksum Mismatch" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
		{ 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].status == status)
			return known[i].phrase;
	return "Other";
}

/* Start the header lines with "Status:", the status in CGI (RFC 3875 6.3.3) */
static enum err start(struct response *rs)
{
	char line[64];
	enum err e;
	int n;

	if (rs->started)
		return ERR_OK;
	response_header_str(rs, "Cache-Control", rs->cache);
	buf_add(&rs->head, SPAN("\r\n"));
	/* A header that cannot be sent is an error of this program, whatever
	 * its error code */
	if (buf_error(&rs->head) != ERR_OK)
		return ERR_IO;
	rs->started = true;
	n = snprintf(line, sizeof(line), "Status: %d %s\r\n", rs->status,
		     reason_phrase(rs->status));
	e = rs->transport->ops->write(rs->transport,
				      (struct span) { line, (size_t)n });
	if (e == ERR_OK)
		e = rs->transport->ops->write(rs->transport,
					      buf_span(&rs->head));
	return e;
}

static bool bodyless(const struct response *rs)
{
	return rs->head_only || rs->status == 204 || rs->status == 304;
}

enum err response_write(struct response *rs, struct span bytes)
{
	enum err e = start(rs);

	if (e != ERR_OK || bytes.len == 0 || bodyless(rs))
		return e;
	e = rs->transport->ops->write(rs->transport, bytes);
	if (e == ERR_OK)
		rs->body_sent += (int64_t)bytes.len;
	return e;
}

enum err response_body(struct response *rs, int status, const char *type,
		       struct span body)
{
	if (rs->never_200 && status == 200)
		return response_empty(rs, 204);
	response_status(rs, status);
	response_header_str(rs, "Content-Type", type);
	response_header_int(rs, "Content-Length", (int64_t)body.len);
	return response_write(rs, body);
}

enum err response_line(struct response *rs, int status, const char *type,
		       struct span text)
{
	enum err e;

	if (rs->never_200 && status == 200)
		return response_empty(rs, 204);
	response_status(rs, status);
	response_header_str(rs, "Content-Type", type);
	response_header_int(rs, "Content-Length", (int64_t)text.len + 1);
	e = response_write(rs, text);
	return e == ERR_OK ? response_write(rs, SPAN("\n")) : e;
}

enum err response_json(struct response *rs, int status, struct json_object *o)
{
	struct span text = json_write(o);

	if (text.p == NULL)
		return ERR_MEMORY;
	return response_line(rs, status, "application/json", text);
}

enum err response_list(struct response *rs, struct json_list *l,
		       const char *members)
{
	struct span text;
	enum err e;

	json_list_end(l, members);
	e = json_list_text(l, &text);
	if (e == ERR_TOO_LARGE) /* the rows' fault, not the client's */
		return err_set(&rs->why, ERR_IO, "the list is over %d bytes",
			       JSON_LIST_MAX);
	return e == ERR_OK ? response_line(rs, 200, "application/json", text)
			   : e;
}

enum err response_empty(struct response *rs, int status)
{
	response_status(rs, status);
	return response_write(rs, (struct span) { NULL, 0 });
}

enum err response_redirect(struct response *rs, const char *path,
			   const char *rest)
{
	char line[128];
	int n = snprintf(line, sizeof(line), "Location: %s%s\r\n\r\n", path,
			 rest);

	rs->started = true;
	return rs->transport->ops->write(rs->transport,
					 (struct span) { line, (size_t)n });
}

void response_keep(struct response *rs)
{
	rs->head_kept = rs->head.len;
}

void response_restart(struct response *rs)
{
	rs->head.len = rs->head_kept;
	rs->head.error = ERR_OK;
	rs->status = 200;
	rs->cache = "no-store";
}

void response_cache(struct response *rs, const char *value)
{
	rs->cache = value;
}

enum err response_explain(struct response *rs, enum err e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(rs->detail, sizeof(rs->detail), fmt, ap);
	va_end(ap);
	return e;
}
