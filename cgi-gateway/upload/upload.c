#include "cgi-gateway/upload/upload.h"

#include "cgi-gateway/app/content_check.h"
#include "cgi-gateway/upload/upload_admission.h"

#include <string.h>

enum err upload_init(struct upload *u, struct app *app, struct request *rq,
		     struct response *rs, const struct upload_origin *origin,
		     size_t data_size)
{
	*u = (struct upload) {
		.app = app,
		.rq = rq,
		.rs = rs,
		.origin = origin,
		.origin_data = arena_alloc(rq->arena, data_size),
		.files = arena_alloc(rq->arena, sizeof(*u->files) *
							(size_t)app->max_files),
		.file_defaults = { .created_at = rq->now,
				   .expires_at = FILES_NEVER },
		.max_file = app->max_upload,
		.max_file_limit = "MAX_UPLOAD",
		.admitting = rq->authorizer,
	};
	if (u->files == NULL || u->origin_data == NULL)
		return ERR_MEMORY;
	memset(u->origin_data, 0, data_size);
	return ERR_OK;
}

/* --- receiving ------------------------------------------------------------ */

static enum err file_too_large(const struct upload *u)
{
	return response_explain(u->rs, ERR_TOO_LARGE,
				"The file is larger than %lld bytes (%s).",
				(long long)u->max_file, u->max_file_limit);
}

enum err upload_check_length(struct upload *u, int64_t bytes)
{
	enum err e;

	if (bytes > u->max_file)
		return file_too_large(u);
	e = u->origin->check_limits(u, 1, bytes);
	u->check_due = !u->admitting && u->rq->admitted_at == 0 && bytes >= 0 &&
		       bytes <= UPLOAD_CHECKED_LATE;
	return e == ERR_OK && !u->check_due ? upload_admit(u, bytes, bytes) : e;
}

enum err upload_check_due(struct upload *u, bool ended)
{
	const int64_t bytes = u->rq->content_length;
	enum err e;

	ended = ended || u->current.size == bytes;
	/* Do not keep a client waiting that has more to send */
	if (!u->check_due ||
	    (!ended && request_ready_within(u->rq, UPLOAD_PAUSE)))
		return ERR_OK;
	u->check_due = false;
	u->checked = ended;
	e = upload_admit(u, bytes, bytes);
	u->checked = ended && e == ERR_OK;
	return e;
}

enum err upload_check_form(struct upload *u, int64_t bytes)
{
	/* The least that its files can have */
	int64_t least = bytes - UPLOAD_FORM_OVERHEAD;
	enum err e;

	if (least < 0)
		least = 0;
	if (least / u->app->max_files > u->max_file)
		return file_too_large(u);
	e = u->origin->check_limits(u, 1, least);
	return e == ERR_OK ? upload_admit(u, least, bytes) : e;
}

enum err upload_file(struct upload *u, struct span name, struct span type)
{
	struct text_fault fault = { "" };
	struct file *f;
	enum err e;

	if (u->count == (size_t)u->app->max_files)
		return response_explain(
			u->rs, ERR_TOO_LARGE,
			"The request has more than %lld files (MAX_FILES). "
			"Nothing was stored; send fewer files in one request.",
			(long long)u->app->max_files);
	e = u->origin->check_limits(u, (int64_t)u->count + 1, u->bytes);
	if (e != ERR_OK)
		return e;
	f = &u->files[u->count];
	*f = u->file_defaults;
	if (file_name_clean(name, f->name, &fault) != ERR_OK)
		return response_explain(u->rs, ERR_INVALID,
					"%sThe name of the file %s.", u->where,
					fault.text);
	file_type_clean(type, f->claimed_type);
	ident_uuid7(u->rq->now_ms, f->id);
	u->count++;
	if (u->admitting)
		return ERR_OK;
	return hashing_writer_open(&u->current, u->app->store, f->id,
				   u->max_file, &u->rs->why);
}

enum err upload_bytes(struct upload *u, struct span bytes)
{
	enum err e = hashing_writer_write(&u->current, bytes, &u->rs->why);

	if (e == ERR_TOO_LARGE)
		return file_too_large(u);
	if (e != ERR_OK)
		return e;
	u->bytes += (int64_t)bytes.len;
	return u->origin->check_limits(u, (int64_t)u->count, u->bytes);
}

bool upload_is_in_file(const struct upload *u)
{
	return u->current.writer != NULL;
}

static enum err read_back(void *writer, int64_t from, char *to, size_t cap,
			  size_t *got, struct errmsg *why)
{
	return store_writer_read(writer, from, to, cap, got, why);
}

enum err upload_file_end(struct upload *u)
{
	struct file *f = &u->files[u->count - 1];
	const struct content_source src = { read_back, u->current.writer,
					    u->current.size };
	enum err e;

	f->size = u->current.size;
	e = content_check(u->app, u->rq, u->rs, &src, f);
	if (e == ERR_OK)
		e = hashing_writer_commit(&u->current,
					  u->has_digest ? u->digest : NULL,
					  f->sha256, &u->rs->why);
	if (e == ERR_OK)
		u->finished++;
	return e;
}

/* --- the end -------------------------------------------------------------- */

/* Check that all objects still exist: in a slow request, some were finished
 * long ago. gc skips them, because they are locked; but a gc on a machine that
 * does not see our locks removes them, and so may a person. A missing object
 * must not get a row. */
static enum err check_objects(struct upload *u)
{
	for (size_t i = 0; i + 1 < u->finished; i++)
		if (store_exists(u->app->store, u->files[i].id, NULL) != ERR_OK)
			return err_set(&u->rs->why, ERR_IO,
				       "object %s vanished before its row was "
				       "written",
				       u->files[i].id);
	return ERR_OK;
}

/* Unlock every object; remove them first unless `keep` */
static void release_objects(struct upload *u, bool keep)
{
	hashing_writer_abort(&u->current);
	for (size_t i = 0; i < u->finished; i++) {
		const char *id = u->files[i].id;

		if (!keep)
			(void)!store_remove(u->app->store, id, NULL);
		store_unlock(u->app->store, id);
	}
}

static void count_in_metrics(const struct upload *u)
{
	for (size_t i = 0; i < u->count; i++) {
		metrics_add(u->app->metrics, METRICS_UPLOADED_FILES, 1);
		metrics_add(u->app->metrics, METRICS_UPLOADED_BYTES,
			    u->files[i].size);
	}
}

enum err upload_end(struct upload *u, enum err e)
{
	bool may_have_rows = false;

	/* Nothing that forgot to ask is admitted */
	if (u->admitting)
		return e == ERR_OK && !u->fits ? ERR_IO : e;
	if (e == ERR_OK)
		e = check_objects(u);
	if (e == ERR_OK) {
		e = u->origin->insert_rows(u);
		may_have_rows = e == ERR_OK || e == ERR_UNAVAILABLE;
	}
	release_objects(u, may_have_rows);
	if (e != ERR_OK)
		return e;
	count_in_metrics(u);
	return u->origin->respond(u);
}

static enum err add_files(const struct upload *u, upload_json_fn *json,
			  struct json_object *list)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < u->count && e == ERR_OK; i++)
		e = json_append(list, json(u, &u->files[i]));
	return e;
}

enum err upload_respond(struct upload *u, upload_json_fn *json)
{
	struct json_object *o = json_object_new_object();
	struct json_object *list = json_add_array(o, "files");
	enum err e = list != NULL ? add_files(u, json, list) : ERR_MEMORY;

	if (e == ERR_OK)
		e = response_json(u->rs, 201, o);
	json_object_put(o);
	return e;
}
