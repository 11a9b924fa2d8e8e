/* GET /download/{id} and GET /download?fid={id}. */
#include "app.h"

#include "digest_field.h"
#include "encode.h"
#include "http_date.h"
#include "range.h"
#include "record.h"

enum {
	DOWNLOAD_READ = 128 * 1024, /* bytes of a read(2) */
};

static enum err wanted_id(struct request *rq, struct span *out)
{
	if (rq->tail.len > 0) {
		*out = rq->tail;
		return ERR_OK;
	}
	return request_query(rq, "fid", out);
}

static bool wants_inline(const struct request *rq, const struct file *f)
{
	struct span value;

	return request_query(rq, "inline", &value) == ERR_OK &&
	       span_eq(value, SPAN("1")) &&
	       file_type_is_inert(span_of(f->type));
}

/* What is said of the file, whoever sends its bytes */
static void describe(const struct request *rq, struct response *rs,
		     const struct file *f, const char *etag)
{
	char modified[HTTP_DATE_LEN + 1];
	struct buf value;

	http_date_format(f->created_at, modified);
	response_header_str(rs, "ETag", etag);
	response_header_str(rs, "Last-Modified", modified);
	buf_init(&value, FILE_NAME_MAX * 5);
	digest_field_write(f->sha256, &value);
	response_header(rs, "Repr-Digest", buf_span(&value));
	buf_clear(&value);
	file_name_disposition(span_of(f->name), wants_inline(rq, f), &value);
	response_header(rs, "Content-Disposition", buf_span(&value));
	buf_release(&value);
	response_header_str(rs, "X-Content-Type-Options", "nosniff");
	/* A stored file is a guest's: it may not act in our origin's name */
	response_header_str(rs, "Content-Security-Policy",
			    "sandbox; default-src 'none'; img-src 'self'; "
			    "media-src 'self'; style-src 'unsafe-inline'");
}

/* The bytes from range.first on, by our own hands */
static enum err send_bytes(struct app *app, struct response *rs,
			   const struct file *f, struct range range,
			   char *space)
{
	struct store_reader *r = NULL;
	int64_t size, left = range.length;
	size_t got;
	enum err e =
		store_open(app->store, f->id, range.first, &r, &size, &rs->why);

	if (e == ERR_OK && size != f->size)
		e = err_set(&rs->why, ERR_IO,
			    "object %s has %lld bytes, its row says %lld",
			    f->id, (long long)size, (long long)f->size);
	while (e == ERR_OK && left > 0) {
		size_t want =
			left < DOWNLOAD_READ ? (size_t)left : DOWNLOAD_READ;

		e = store_read(r, space, want, &got, &rs->why);
		if (e == ERR_OK && got == 0)
			e = err_set(&rs->why, ERR_IO, "object %s ended early",
				    f->id);
		if (e == ERR_OK)
			e = response_write(rs, (struct span) { space, got });
		left -= (int64_t)got;
	}
	store_done(r);
	/* A row without bytes is our failure, not a wrong address */
	return e == ERR_NOT_FOUND ? ERR_IO : e;
}

static enum err range_refused(struct response *rs, int64_t size)
{
	char text[48];

	(void)snprintf(text, sizeof(text), "bytes */%lld", (long long)size);
	response_restart(rs);
	response_header_str(rs, "Content-Range", text);
	response_keep(rs);
	return response_explain(rs, ERR_RANGE, "The file has %lld bytes.",
				(long long)size);
}

/* Ranges and conditions (RFC 9110 13.2.2), where no server does them for us */
static enum err send_self(struct app *app, struct request *rq,
			  struct response *rs, const struct file *f,
			  struct span etag)
{
	const struct conditions c = {
		.if_none_match = request_header(rq, "If-None-Match"),
		.if_modified_since = request_header(rq, "If-Modified-Since"),
		.if_range = request_header(rq, "If-Range"),
	};
	struct range range = { 0, f->size };
	char *space = arena_alloc(rq->arena, DOWNLOAD_READ);
	enum err e = ERR_NOT_FOUND;
	char text[96];

	if (space == NULL)
		return ERR_MEMORY;
	if (condition_not_modified(&c, etag, f->created_at))
		return response_empty(rs, 304);
	/* 14.2: Range means something for GET only */
	if (!rq->head && condition_range_holds(&c, etag, f->created_at))
		e = range_parse(request_header(rq, "Range"), f->size, &range);
	if (e == ERR_RANGE)
		return range_refused(rs, f->size);
	if (e == ERR_OK) {
		response_status(rs, 206);
		(void)snprintf(text, sizeof(text), "bytes %lld-%lld/%lld",
			       (long long)range.first,
			       (long long)(range.first + range.length - 1),
			       (long long)f->size);
		response_header_str(rs, "Content-Range", text);
	}
	response_header_str(rs, "Accept-Ranges", "bytes");
	response_header_int(rs, "Content-Length", range.length);
	if (rq->head || range.length == 0)
		return response_empty(rs, rs->status);
	return send_bytes(app, rs, f, range, space);
}

/* The server in front sends the file, by sendfile(2), and answers ranges and
 * conditions with our ETag */
static enum err send_by_server(struct app *app, struct response *rs,
			       const struct file *f)
{
	char path[STORE_PATH_MAX];

	if (store_path(app->store, f->id, path) != ERR_OK)
		return err_set(&rs->why, ERR_IO, "object %s is missing", f->id);
	response_header_str(rs, "X-Sendfile", path);
	return response_empty(rs, 200);
}

enum err handle_download(void *app_, struct request *rq, struct response *rs)
{
	struct app *app = app_;
	char etag[HEX_SIZE(SHA256_LEN) + 2] = "\"";
	struct file f;
	struct caller who = { .user_id = 0 };
	struct span id;
	uint64_t owner;
	enum err e = wanted_id(rq, &id);

	if (e == ERR_OK)
		e = record_caller(app, rq, rs, "files:read", &who, &owner);
	if (e == ERR_OK)
		e = files_find(app->db, &who, owner, id, &f, &rs->why);
	caller_known(app->db, &who, rq);
	if (e == ERR_AUTH)
		e = caller_refused(app->db, rq, "files:read", e, &rs->why);
	if (e != ERR_OK)
		return e;
	hex_encode((struct span) { (const char *)f.sha256, SHA256_LEN },
		   etag + 1, sizeof(etag) - 1);
	etag[HEX_SHA256_LEN + 1] = '"';
	etag[HEX_SHA256_LEN + 2] = '\0';

	response_cache(rs, "private, no-cache");
	response_header_str(rs, "Content-Type", f.type);
	describe(rq, rs, &f, etag);
	if (app->by_server)
		return send_by_server(app, rs, &f);
	return send_self(app, rq, rs, &f, span_of(etag));
}
