#include "cgi-gateway/download/send_file.h"

#include "cgi-gateway/download/text_charset.h"
#include "cgi-gateway/parse/digest_field.h"
#include "common/codec/http_date.h"

#include <string.h>

/* Plan the response to a GET whose conditions hold: the file or a range */
static void plan_bytes(struct send_file *s, const struct request *rq,
		       const struct conditions *c, const struct validators *v)
{
	enum err e = ERR_NOT_FOUND;

	/* 14.2: Range applies to GET only */
	if (!rq->head && condition_range_holds(c, v))
		e = range_parse(request_header(rq, "Range"), s->file->size,
				&s->range);
	if (e == ERR_OK)
		s->kind = SEND_FILE_RANGE;
	if (e == ERR_RANGE)
		s->kind = SEND_FILE_UNSATISFIABLE;
}

void send_file_plan(struct send_file *s, const struct request *rq,
		    const struct file *f)
{
	const struct conditions c = file_conditions(rq);
	const struct validators v = { .etag = { s->etag, HEX_SHA256_LEN + 2 },
				      .modified = f->created_at,
				      .dated = true };

	*s = (struct send_file) { .file = f,
				  .kind = SEND_FILE_WHOLE,
				  .range = { 0, f->size } };
	file_etag(f, s->etag);
	switch (condition_check(&c, &v, true)) {
	case CONDITION_HOLDS:
		plan_bytes(s, rq, &c, &v);
		break;
	case CONDITION_NOT_MODIFIED:
		s->kind = SEND_FILE_NOT_MODIFIED;
		break;
	case CONDITION_FAILED:
		s->kind = SEND_FILE_REFUSED;
		break;
	}
}

static bool wants_inline(const struct request *rq)
{
	struct span value;

	return request_query(rq, "inline", &value) == ERR_OK &&
	       span_eq(value, SPAN("1"));
}

/* Without claimed_type the type was not decided by the bytes: it is only what
 * the client sent */
static bool may_be_inline(const struct file *f)
{
	return f->claimed_type[0] != '\0' &&
	       file_type_is_inert(span_of(f->type));
}

/* Return true if this message contains the whole file (RFC 9530 2). With a
 * Range or a condition that is unknown, because the server in front may send
 * less. */
static bool is_content(const struct request *rq, const struct send_file *s)
{
	static const char *const fields[] = { "Range", "If-None-Match",
					      "If-Modified-Since" };

	if (rq->head || s->kind != SEND_FILE_WHOLE)
		return false;
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (request_header(rq, fields[i]).len > 0)
			return false;
	return true;
}

/* Add the type. A browser that shows a text needs its charset. */
static void add_type(const struct app *app, const struct request *rq,
		     struct response *rs, const struct file *f)
{
	char type[FILE_TYPE_MAX + sizeof("; charset=utf-8")];

	(void)snprintf(type, sizeof(type), "%s%s", f->type,
		       wants_inline(rq) &&
				       text_charset_is_utf8(app, f, rq->arena)
			       ? "; charset=utf-8"
			       : "");
	response_header_str(rs, "Content-Type", type);
}

/* Add the header fields, which are the same whether the gateway or the server
 * in front sends the bytes */
static void add_headers(const struct app *app, const struct request *rq,
			struct response *rs, const struct send_file *s)
{
	const struct file *f = s->file;
	char modified[HTTP_DATE_LEN + 1];
	struct buf value;

	response_cache(rs, "private, no-cache");
	add_type(app, rq, rs, f);
	http_date_format(f->created_at, modified);
	response_header_str(rs, "ETag", s->etag);
	response_header_str(rs, "Last-Modified", modified);
	buf_init(&value, FILE_NAME_DISPOSITION_MAX);
	digest_field_write(f->sha256, &value);
	response_header(rs, "Repr-Digest", buf_span(&value));
	if (is_content(rq, s))
		response_header(rs, "Content-Digest", buf_span(&value));
	buf_clear(&value);
	file_name_disposition(
		span_of(f->name), wants_inline(rq) && may_be_inline(f),
		file_name_form_of(request_header(rq, "User-Agent")), &value);
	response_header(rs, "Content-Disposition", buf_span(&value));
	buf_release(&value);
	response_header_str(rs, "X-Content-Type-Options", "nosniff");
	/* A stored file may come from anyone: it must not act as our origin */
	response_header_str(rs, "Content-Security-Policy",
			    "sandbox; default-src 'none'; img-src 'self'; "
			    "media-src 'self'; style-src 'unsafe-inline'");
}

/* Read the bytes of the range from the store and send them */
static enum err send_bytes(struct app *app, struct response *rs,
			   const struct file *f, struct range range,
			   char *buffer)
{
	struct store_reader *r = NULL;
	int64_t size, left = range.length;
	size_t got;
	enum err e = store_reader_open(app->store, f->id, range.first, &r,
				       &size, &rs->why);

	if (e == ERR_OK && size != f->size)
		e = err_set(&rs->why, ERR_IO,
			    "object %s has %lld bytes, but its row says %lld",
			    f->id, (long long)size, (long long)f->size);
	while (e == ERR_OK && left > 0) {
		size_t want =
			left < SEND_FILE_READ ? (size_t)left : SEND_FILE_READ;

		e = store_reader_read(r, buffer, want, &got, &rs->why);
		if (e == ERR_OK && got == 0)
			e = err_set(&rs->why, ERR_IO, "object %s ended early",
				    f->id);
		if (e == ERR_OK)
			e = response_write(rs, (struct span) { buffer, got });
		left -= (int64_t)got;
	}
	store_reader_close(r);
	/* A row without bytes is an internal error, not a wrong address */
	return e == ERR_NOT_FOUND ? ERR_IO : e;
}

static enum err explain_range(struct response *rs, int64_t size)
{
	char text[48];

	(void)snprintf(text, sizeof(text), "bytes */%lld", (long long)size);
	response_restart(rs);
	response_header_str(rs, "Content-Range", text);
	response_keep(rs);
	return response_explain(rs, ERR_RANGE, "The file has %lld bytes.",
				(long long)size);
}

enum err send_file_stream(const struct send_file *s, struct app *app,
			  struct request *rq, struct response *rs)
{
	char *buffer = arena_alloc(rq->arena, SEND_FILE_READ);
	bool ignored;
	char text[96];

	if (buffer == NULL)
		return ERR_MEMORY;
	if (s->kind == SEND_FILE_REFUSED)
		return file_conditions_explain(rs);
	add_headers(app, rq, rs, s);
	if (s->kind == SEND_FILE_NOT_MODIFIED)
		return response_empty(rs, 304);
	if (s->kind == SEND_FILE_UNSATISFIABLE)
		return explain_range(rs, s->file->size);
	if (s->kind == SEND_FILE_RANGE) {
		response_status(rs, 206);
		(void)snprintf(
			text, sizeof(text), "bytes %lld-%lld/%lld",
			(long long)s->range.first,
			(long long)(s->range.first + s->range.length - 1),
			(long long)s->file->size);
		response_header_str(rs, "Content-Range", text);
	}
	/* lighttpd would apply a Range that was ignored, unless told not to */
	ignored = s->kind == SEND_FILE_WHOLE &&
		  request_header(rq, "Range").len > 0;
	response_header_str(rs, "Accept-Ranges", ignored ? "none" : "bytes");
	response_header_int(rs, "Content-Length", s->range.length);
	if (rq->head || s->range.length == 0)
		return response_empty(rs, rs->status);
	return send_bytes(app, rs, s->file, s->range, buffer);
}

/* nginx checks conditions without our ETag and Last-Modified, and refuses a
 * Range that we ignore. lighttpd checks the conditions of a read in the same
 * way, except for dates, and ranges, except for unusual spellings. */
static bool front_would_differ(const struct app *app, const struct send_file *s,
			       const struct request *rq)
{
	const struct conditions c = file_conditions(rq);
	struct span range = request_header(rq, "Range");
	bool whole = s->kind == SEND_FILE_WHOLE;

	if (!whole && s->kind != SEND_FILE_RANGE)
		return true;
	if (app->by_address)
		return (whole && range.len > 0) || c.if_match.len > 0 ||
		       c.if_unmodified_since.len > 0;
	if (c.if_modified_since.len > 0 && c.if_none_match.len == 0)
		return true;
	return (range.len > 0 && !range_is_plain(range)) ||
	       (c.if_range.len > 0 && !span_eq(c.if_range, span_of(s->etag)));
}

enum err send_file_respond(const struct send_file *s, struct app *app,
			   struct request *rq, struct response *rs)
{
	char path[STORE_PATH_MAX],
		address[sizeof(SEND_FILE_ADDRESS) + STORE_TAIL];
	enum err e;

	if (!app->by_server || front_would_differ(app, s, rq))
		return send_file_stream(s, app, rq, rs);
	e = store_path(app->store, s->file->id, path);
	if (e == ERR_METHOD) /* a store without paths */
		return send_file_stream(s, app, rq, rs);
	if (e != ERR_OK)
		return err_set(&rs->why, ERR_IO, "object %s is missing",
			       s->file->id);
	add_headers(app, rq, rs, s);
	if (app->by_address) {
		(void)snprintf(address, sizeof(address), "%s%s",
			       SEND_FILE_ADDRESS,
			       path + strlen(path) - STORE_TAIL);
		response_header_str(rs, "X-Accel-Redirect", address);
	} else {
		response_header_str(rs, "X-Sendfile", path);
	}
	return response_empty(rs, 200);
}
