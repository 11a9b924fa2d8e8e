/* HEAD, GET, PATCH and DELETE /tus/{id}: an upload on its way (tus 1.0.0). */
#include "cgi-gateway/store/resumable.h"
#include "cgi-gateway/tus/tus_complete.h"
#include "cgi-gateway/tus/tus_receive.h"
#include "common/codec/http_date.h"

/* --- how far it is -------------------------------------------------------- */

/* One that became a file which was deleted since is no more */
static enum err look_at_file(struct tus *t, int64_t *offset,
			     int64_t *written_at)
{
	struct file f;

	*offset = t->u.length;
	*written_at = t->u.finished_at;
	return files_find(t->app->db, &t->who, t->owner, span_of(t->u.id), &f,
			  &t->rs->why);
}

/* All bytes may be there and the file not, because something ended in between:
 * who asks must not be told that all is done before it is. */
static enum err look(struct tus *t, int64_t *offset, int64_t *written_at)
{
	enum err e = ERR_OK;

	if (t->u.finished_at == TUS_UNFINISHED)
		e = resumable_offset(t->app->store, t->u.id, offset, written_at,
				     &t->rs->why);
	/* Finished or ended since its row was read */
	if (e == ERR_NOT_FOUND) {
		e = tus_find(t);
		if (e == ERR_OK && t->u.finished_at == TUS_UNFINISHED)
			e = ERR_NOT_FOUND;
	}
	if (e == ERR_OK && t->u.finished_at != TUS_UNFINISHED)
		return look_at_file(t, offset, written_at);
	if (e != ERR_OK || t->u.concat != TUS_WHOLE || *offset != t->u.length)
		return e;
	*written_at = request_time(t->rq);
	return tus_complete(t, NULL, 0);
}

static void describe(struct tus *t, int64_t offset)
{
	struct response *rs = t->rs;

	response_header_int(rs, "Upload-Offset", offset);
	if (t->u.length == TUS_LENGTH_UNKNOWN)
		response_header_str(rs, "Upload-Defer-Length", "1");
	else
		response_header_int(rs, "Upload-Length", t->u.length);
	if (t->u.metadata[0] != '\0')
		response_header_str(rs, "Upload-Metadata", t->u.metadata);
	if (t->u.concat_sent[0] != '\0')
		response_header_str(rs, "Upload-Concat", t->u.concat_sent);
}

/* The same for people who ask by hand */
static struct json_object *as_json(struct tus *t, int64_t offset,
				   int64_t written_at)
{
	struct json_object *o = json_object_new_object();
	char text[RFC3339_LEN + 1];

	if (o == NULL)
		return NULL;
	json_set_str(o, "id", t->u.id);
	json_set_str(o, "name", t->u.name);
	json_set_int(o, "offset", offset);
	if (t->u.length == TUS_LENGTH_UNKNOWN)
		(void)json_object_object_add(o, "length", NULL);
	else
		json_set_int(o, "length", t->u.length);
	json_set_bool(o, "finished",
		      t->u.concat != TUS_PARTIAL && offset == t->u.length);
	rfc3339_format(written_at + t->app->upload_life, text);
	json_set_str(o, "expires_at", text);
	return o;
}

static enum err show(void *app, struct request *rq, struct response *rs)
{
	struct tus *t = arena_alloc(rq->arena, sizeof(*t));
	int64_t offset = 0, written_at = 0;
	struct json_object *o;
	enum err e;

	if (t == NULL)
		return ERR_MEMORY;
	*t = (struct tus) { .app = app };
	e = tus_begin(t, app, rq, rs);
	if (e == ERR_OK)
		e = tus_find(t);
	if (e == ERR_OK)
		e = look(t, &offset, &written_at);
	if (e != ERR_OK)
		return e;
	describe(t, offset);
	tus_expires(t, written_at);
	o = as_json(t, offset, written_at);
	e = o != NULL ? response_json(rs, 200, o) : ERR_MEMORY;
	json_object_put(o);
	return e;
}

/* Clients of tus take every refusal of a HEAD for the end of the upload, and
 * begin anew at byte 0, but for 423, after which they ask again. It has not
 * come to its end because our database or the scanner is away. */
enum err handle_tus_show(void *app, struct request *rq, struct response *rs)
{
	enum err e = show(app, rq, rs);

	return e == ERR_UNAVAILABLE && rq->head ? ERR_BUSY : e;
}

/* --- more of it ----------------------------------------------------------- */

static enum err read_head(struct tus *t, int64_t *at)
{
	enum err e;

	if (!tus_has_bytes(t->rq))
		return response_explain(
			t->rs, ERR_MEDIA_TYPE,
			"Send application/offset+octet-stream.");
	e = tus_number(t, "Upload-Offset", -1, at);
	if (e == ERR_OK && *at < 0)
		return response_explain(t->rs, ERR_FORMAT,
					"Upload-Offset is missing.");
	return e;
}

/* Where the length was not known at first, it may be told now. It counts once
 * the rest of the request is found to be right. */
static enum err read_length(struct tus *t, int64_t at)
{
	int64_t length;
	enum err e =
		tus_number(t, "Upload-Length", TUS_LENGTH_UNKNOWN, &length);

	if (e != ERR_OK || length == TUS_LENGTH_UNKNOWN ||
	    length == t->u.length)
		return e;
	if (t->u.length != TUS_LENGTH_UNKNOWN || length < at ||
	    length < t->u.held.bytes)
		return response_explain(t->rs, ERR_FORMAT,
					"Upload-Length is another one already, "
					"or less than the bytes that were "
					"announced before.");
	if (length > t->app->max_upload)
		return response_explain(t->rs, ERR_TOO_LARGE,
					"The file is larger than %lld bytes "
					"(MAX_UPLOAD).",
					(long long)t->app->max_upload);
	t->told = length;
	return ERR_OK;
}

/* It takes no more bytes: then these are all, or it is elsewhere */
static enum err has_all(struct tus *t, int64_t at)
{
	int64_t offset = 0, written_at;
	enum err e = look(t, &offset, &written_at);

	if (e == ERR_OK && t->u.concat == TUS_FINAL)
		return response_explain(t->rs, ERR_FORBIDDEN,
					"An upload that was put together of "
					"others takes no bytes.");
	if (e == ERR_OK && offset != at)
		return tus_elsewhere(t, offset);
	if (e == ERR_OK && t->rq->content_length > 0)
		return response_explain(t->rs, ERR_TOO_LARGE,
					"The upload has all of its %lld bytes.",
					(long long)offset);
	return e;
}

static enum err go_on(struct tus *t, int64_t *at)
{
	enum err e;

	if (t->u.finished_at != TUS_UNFINISHED)
		return has_all(t, *at);
	e = read_length(t, *at);
	if (e == ERR_OK)
		e = tus_receive(t, at);
	/* Another request may have brought the last of them, since its row was
	 * read */
	if (e == ERR_NOT_FOUND) {
		e = tus_find(t);
		return e == ERR_OK ? has_all(t, *at) : e;
	}
	if (e == ERR_OK && *at == t->u.length && t->u.concat == TUS_WHOLE)
		e = tus_complete(t, NULL, 0);
	return e;
}

enum err handle_tus_bytes(void *app, struct request *rq, struct response *rs)
{
	struct tus *t = arena_alloc(rq->arena, sizeof(*t));
	int64_t at = 0;
	enum err e;

	if (t == NULL)
		return ERR_MEMORY;
	*t = (struct tus) { .app = app };
	e = tus_begin(t, app, rq, rs);
	if (e == ERR_OK)
		e = read_head(t, &at);
	if (e == ERR_OK)
		e = tus_find(t);
	if (e == ERR_OK)
		e = go_on(t, &at);
	if (e != ERR_OK)
		return e;
	response_header_int(rs, "Upload-Offset", at);
	tus_expires(t, request_time(rq));
	return response_empty(rs, 204);
}

/* --- none of it ----------------------------------------------------------- */

/* One that is a file by now is deleted as files are */
static enum err remove_file(struct tus *t)
{
	enum err e =
		files_remove(t->app->db, &t->who, t->owner, span_of(t->u.id),
			     &t->app->webhook_targets, &t->rs->why);

	if (e == ERR_OK)
		(void)!store_remove(t->app->store, t->u.id, &t->rs->why);
	return e;
}

static enum err end(struct tus *t)
{
	return t->u.finished_at == TUS_UNFINISHED ? tus_remove(t)
						  : remove_file(t);
}

enum err handle_tus_end(void *app, struct request *rq, struct response *rs)
{
	struct tus *t = arena_alloc(rq->arena, sizeof(*t));
	enum err e;

	if (t == NULL)
		return ERR_MEMORY;
	*t = (struct tus) { .app = app };
	e = tus_begin(t, app, rq, rs);
	if (e == ERR_OK)
		e = tus_find(t);
	if (e == ERR_OK)
		e = end(t);
	/* Finished, or told its length, since its row was read: once more */
	if (e == ERR_NOT_FOUND && tus_find(t) == ERR_OK)
		e = end(t);
	return e == ERR_OK ? response_empty(rs, 204) : e;
}
