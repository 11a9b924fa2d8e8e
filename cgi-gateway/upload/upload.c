#include "cgi-gateway/upload/upload.h"

#include "cgi-gateway/app/content_check.h"
#include "cgi-gateway/app/public_url.h"
#include "cgi-gateway/app/request_params.h"
#include "cgi-gateway/tables/file_json.h"

#include <string.h>

static bool is_by_link(const struct upload *b)
{
	return b->link.id[0] != '\0';
}

/* What the link has left for so much, as it was when it was looked at; in the
 * end its row decides */
static enum err fits_link(const struct upload *b, int64_t files, int64_t bytes)
{
	const struct amount left = upload_link_left(&b->link);

	if (files > left.files)
		return response_explain(b->rs, ERR_QUOTA,
					"Too many files: this link takes %lld "
					"more. Nothing was stored.",
					(long long)left.files);
	if (bytes > left.bytes)
		return response_explain(b->rs, ERR_QUOTA,
					"Too many bytes: this link takes %lld "
					"more. Nothing was stored.",
					(long long)left.bytes);
	return ERR_OK;
}

static enum err too_large(const struct upload *b)
{
	return response_explain(b->rs, ERR_TOO_LARGE,
				"The file is larger than %lld bytes (%s).",
				(long long)b->max_file,
				b->max_file < b->app->max_upload
					? "the limit of this link"
					: "MAX_UPLOAD");
}

enum err upload_file(struct upload *b, struct span name, struct span type)
{
	struct file *f;
	enum err e;

	if (b->count == (size_t)b->app->max_files)
		return response_explain(
			b->rs, ERR_TOO_LARGE,
			"More than %lld files in one request "
			"(MAX_FILES). Send the rest in another.",
			(long long)b->app->max_files);
	e = fits_link(b, (int64_t)b->count + 1, b->bytes);
	if (e != ERR_OK)
		return e;
	f = &b->files[b->count];
	*f = (struct file) {
		.created_at = b->rq->now,
		.expires_at = b->expires_at,
	};
	memcpy(f->upload_link, b->link.id, sizeof(f->upload_link));
	if (file_name_clean(name, f->name) != ERR_OK)
		return response_explain(b->rs, ERR_INVALID,
					"A file's name is 1 to %d bytes of "
					"UTF-8 without control characters, and "
					"not . or ..",
					FILE_NAME_MAX);
	file_type_clean(type, f->claimed_type);
	ident_uuid7(b->rq->now_ms, f->id);
	b->count++;
	return hashing_writer_begin(&b->intake, b->app->store, f, b->max_file,
				    &b->rs->why);
}

enum err upload_bytes(struct upload *b, struct span bytes)
{
	enum err e = hashing_writer_add(&b->intake, bytes, &b->rs->why);

	if (e == ERR_TOO_LARGE)
		return too_large(b);
	b->bytes += (int64_t)bytes.len;
	return e == ERR_OK ? fits_link(b, (int64_t)b->count, b->bytes) : e;
}

static enum err peek(void *writer, int64_t from, char *to, size_t cap,
		     size_t *got, struct errmsg *why)
{
	return store_writer_read(writer, from, to, cap, got, why);
}

enum err upload_file_end(struct upload *b)
{
	const struct content_source src = { peek, b->intake.writer,
					    b->intake.file->size };
	enum err e = content_check(b->app, b->rq, b->rs, &src, b->intake.file);

	if (e == ERR_OK)
		e = hashing_writer_finish(&b->intake,
					  b->digest_given ? b->digest : NULL,
					  &b->rs->why);
	if (e == ERR_OK)
		b->finished++;
	return e;
}

static enum err read_expiry(struct upload *b)
{
	struct span text;
	int64_t seconds;
	enum err e = request_query(b->rq, "expires_in", &text);

	b->expires_at = FILES_NEVER;
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e != ERR_OK)
		return e;
	if (!span_to_int(text, &seconds))
		seconds = 0; /* explained with the rest of what cannot be */
	return request_expiry(b->rq, b->rs, seconds, &b->expires_at);
}

/* What the owner has, asked for in the way in which the rows will be */
static enum err usage(struct upload *b, struct usage *u)
{
	if (is_by_link(b))
		return quota_show(b->app->db, b->owner, &b->app->quota, u,
				  &b->rs->why);
	return quota_usage(b->app->db, &b->who, b->owner, &b->app->quota, u,
			   &b->rs->why);
}

static enum err no_room(const struct upload *b)
{
	if (!is_by_link(b))
		return ERR_QUOTA;
	return response_explain(b->rs, ERR_QUOTA,
				"The space behind this link is full; nothing "
				"was stored. Tell who gave you the link.");
}

enum err upload_announced(struct upload *b, int64_t bytes)
{
	const struct amount coming = { bytes, 1 };
	struct usage u;
	enum err e;

	if (bytes > b->max_file)
		return too_large(b);
	e = fits_link(b, coming.files, bytes);
	if (e != ERR_OK || bytes < UPLOAD_ASK_FIRST)
		return e;
	e = usage(b, &u);
	return e == ERR_OK && !usage_has_room(&u, coming) ? no_room(b) : e;
}

static enum err begin(struct upload *b, struct app *app, struct request *rq,
		      struct response *rs)
{
	*b = (struct upload) {
		.app = app, .rq = rq, .rs = rs, .max_file = app->max_upload
	};
	b->files = arena_alloc(rq->arena,
			       sizeof(*b->files) * (size_t)app->max_files);
	return b->files != NULL ? ERR_OK : ERR_MEMORY;
}

enum err upload_begin(struct upload *b, struct app *app, struct request *rq,
		      struct response *rs)
{
	enum err e = begin(b, app, rq, rs);

	if (e == ERR_OK)
		e = request_owner(b->app, rq, rs, "files:write", &b->who,
				  &b->owner);
	/* Nothing is known yet of who shows an API token: ask before their
	 * bytes fill our disk. An access token has shown its signature, and its
	 * session is asked for with the rows. */
	if (e == ERR_OK)
		e = session_check_api(b->app->db, rq, "files:write", &rs->why);
	return e == ERR_OK ? read_expiry(b) : e;
}

static enum err find_link(struct upload *b)
{
	enum err e = upload_links_find(b->app->db, b->link_token, b->rq->now,
				       &b->link, &b->rs->why);

	return e == ERR_GONE ? response_explain(b->rs, e, UPLOAD_LINK_GONE) : e;
}

enum err upload_begin_by_link(struct upload *b, struct app *app,
			      struct request *rq, struct response *rs,
			      struct span token)
{
	enum err e = begin(b, app, rq, rs);

	b->link_token = token;
	if (e == ERR_OK)
		e = find_link(b);
	if (e != ERR_OK)
		return e;
	b->owner = b->link.owner;
	b->max_file = upload_link_max_file(&b->link, app->max_upload);
	return ERR_OK;
}

static enum err answer(struct upload *b)
{
	struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();
	enum err e;

	(void)json_object_object_add(o, "files", list);
	for (size_t i = 0; i < b->count; i++) {
		(void)json_object_array_add(
			list, is_by_link(b)
				      ? file_json_receipt(&b->files[i])
				      : public_url_file_json(b->app, b->rq,
							     &b->files[i]));
		metrics_add(b->app->metrics, METRICS_UPLOADED_FILES, 1);
		metrics_add(b->app->metrics, METRICS_UPLOADED_BYTES,
			    b->files[i].size);
	}
	if (b->count == 1 && !is_by_link(b)) {
		char tail[sizeof("/files/") + UUID_LEN];
		struct buf url;

		buf_init(&url, REQUEST_PATH_MAX);
		(void)snprintf(tail, sizeof(tail), "/files/%s", b->files[0].id);
		public_url_add(b->app, b->rq, tail, &url);
		response_header(b->rs, "Location", buf_span(&url));
		buf_release(&url);
	}
	e = response_json(b->rs, 201, o);
	json_object_put(o);
	return e;
}

/* The files of a slow request finish far apart. They are held, so no gc takes
 * one; but a gc on a machine that does not see our locks would, or somebody by
 * hand: what is gone must not get a row. */
static enum err still_stored(struct upload *b)
{
	char path[STORE_PATH_MAX];

	for (size_t i = 0; i + 1 < b->finished; i++)
		if (store_path(b->app->store, b->files[i].id, path) != ERR_OK)
			return err_set(&b->rs->why, ERR_IO,
				       "object %s vanished before its row",
				       b->files[i].id);
	return ERR_OK;
}

/* Others were quicker: whether that was the end of the link, and if not, what
 * it has left, is known to the row alone */
static enum err refused_by_link(struct upload *b)
{
	enum err e = find_link(b);

	if (e == ERR_OK)
		e = fits_link(b, (int64_t)b->count, b->bytes);
	return e == ERR_OK ? ERR_GONE : e;
}

static enum err add_rows(struct upload *b)
{
	enum err e;

	if (!is_by_link(b))
		return files_add(b->app->db, &b->who, b->owner, &b->app->quota,
				 b->files, b->count, &b->app->receivers,
				 &b->rs->why);
	e = upload_links_receive(b->app->db, &b->link, b->rq->now,
				 &b->app->quota, b->files, b->count,
				 &b->app->receivers, &b->rs->why);
	if (e == ERR_QUOTA)
		return no_room(b);
	return e == ERR_GONE ? refused_by_link(b) : e;
}

/* With the rows, or without: nothing of the batch is under way any more */
static void settle(struct upload *b, bool complete, enum err e)
{
	hashing_writer_abandon(&b->intake);
	for (size_t i = 0; i < b->finished; i++) {
		const char *id = b->files[i].id;

		/* Whether the rows are there is not known when the database
		 * went away in the middle: the bytes must stay, gc will look
		 * again */
		if (e != ERR_OK && (!complete || e != ERR_UNAVAILABLE))
			(void)!store_remove(b->app->store, id, NULL);
		store_unlock(b->app->store, id);
	}
}

enum err upload_end(struct upload *b, enum err e)
{
	bool complete = e == ERR_OK;

	if (e == ERR_OK)
		e = still_stored(b);
	if (e == ERR_OK)
		e = add_rows(b);
	settle(b, complete, e);
	return e == ERR_OK ? answer(b) : e;
}
