/* POST /tus: a resumable upload begins (tus, "Creation"). */
#include "cgi-gateway/app/public_url.h"
#include "cgi-gateway/app/request_params.h"
#include "cgi-gateway/store/resumable.h"
#include "cgi-gateway/tus/tus_complete.h"
#include "cgi-gateway/tus/tus_join.h"
#include "cgi-gateway/tus/tus_receive.h"

#include "common/codec/encode.h"

/* --- what is wanted ------------------------------------------------------- */

/* A value of Upload-Metadata as text; false where there is none */
static bool metadata(const struct tus *t, const char *key,
		     char out[static TUS_METADATA_MAX], struct span *text)
{
	size_t len;

	if (tus_metadata_get(span_of(t->u.metadata), key, out, TUS_METADATA_MAX,
			     &len) != ERR_OK)
		return false;
	*text = (struct span) { out, len };
	return true;
}

static enum err read_names(struct tus *t)
{
	char name[TUS_METADATA_MAX], type[TUS_METADATA_MAX];
	struct span text = SPAN("unnamed"), kind = SPAN("");

	/* Libraries call the same by other names */
	if (!metadata(t, "filename", name, &text))
		(void)metadata(t, "name", name, &text);
	if (!metadata(t, "filetype", type, &kind))
		(void)metadata(t, "type", type, &kind);
	file_type_clean(kind, t->u.type);
	return file_name_clean(text, t->u.name);
}

static enum err read_wishes(struct tus *t)
{
	char value[TUS_METADATA_MAX];
	struct span text;
	int64_t ends, seconds = 0;
	size_t len;

	t->u.has_sha256 = metadata(t, "sha256", value, &text);
	if (t->u.has_sha256 &&
	    (text.len != HEX_SHA256_LEN ||
	     hex_decode(text, (char *)t->u.sha256, SHA256_LEN, &len) != ERR_OK))
		return response_explain(t->rs, ERR_FORMAT,
					"sha256 in Upload-Metadata is 64 hex "
					"digits.");
	if (!metadata(t, "expires_in", value, &text))
		return ERR_OK;
	if (!span_to_int(text, &seconds))
		seconds = 0;
	t->u.life = seconds;
	return request_expiry(t->rq, t->rs, seconds, &ends);
}

static enum err read_metadata(struct tus *t)
{
	struct span field = request_header(t->rq, "Upload-Metadata");
	enum err e = tus_metadata_check(field);

	if (e != ERR_OK)
		return response_explain(
			t->rs, e == ERR_TOO_LARGE ? e : ERR_FORMAT,
			"Upload-Metadata is a list of keys, each with a blank "
			"and its value in base64: at most %d of them and %d "
			"bytes, none twice.",
			TUS_METADATA_KEYS, TUS_METADATA_MAX);
	(void)span_to_cstr(field, t->u.metadata, sizeof(t->u.metadata));
	if (read_names(t) != ERR_OK)
		return response_explain(t->rs, ERR_INVALID,
					"A file's name is 1 to %d bytes of "
					"UTF-8 without control characters, and "
					"not . or ..",
					FILE_NAME_MAX);
	return read_wishes(t);
}

static enum err read_length(struct tus *t)
{
	struct span defer = request_header(t->rq, "Upload-Defer-Length");
	enum err e = tus_number(t, "Upload-Length", TUS_LENGTH_UNKNOWN,
				&t->u.length);
	bool known = t->u.length != TUS_LENGTH_UNKNOWN;

	if (e != ERR_OK)
		return e;
	if (t->u.concat == TUS_FINAL)
		return !known && defer.len == 0
			       ? ERR_OK
			       : response_explain(
					 t->rs, ERR_FORMAT,
					 "The length of an upload that "
					 "is put together is that of "
					 "its parts.");
	if (known == (defer.len > 0) ||
	    (defer.len > 0 && !span_eq(defer, SPAN("1"))))
		return response_explain(
			t->rs, ERR_FORMAT,
			"Send either Upload-Length, a number of "
			"bytes, or Upload-Defer-Length: 1.");
	if (t->u.length > t->app->max_upload)
		return response_explain(t->rs, ERR_TOO_LARGE,
					"The file is larger than %lld bytes "
					"(MAX_UPLOAD).",
					(long long)t->app->max_upload);
	return ERR_OK;
}

static enum err read_concat(struct tus *t, struct span *parts)
{
	struct span field = request_header(t->rq, "Upload-Concat");
	enum err e = tus_concat_parse(field, &t->u.concat, parts);

	if (e != ERR_OK)
		return response_explain(t->rs, e,
					"Upload-Concat is partial, or final; "
					"with the URLs of the parts behind it, "
					"and at most %d bytes.",
					TUS_CONCAT_MAX);
	(void)span_to_cstr(field, t->u.concat_sent, sizeof(t->u.concat_sent));
	return ERR_OK;
}

static enum err read_wanted(struct tus *t, struct span *parts)
{
	enum err e = read_concat(t, parts);

	t->u.owner = t->owner != 0 ? t->owner : t->rq->claims.user_id;
	t->u.created_at = t->rq->now;
	t->u.expires_at = t->rq->now + t->app->upload_life;
	ident_uuid7(t->rq->now_ms, t->u.id);
	if (e == ERR_OK)
		e = read_length(t);
	return e == ERR_OK ? read_metadata(t) : e;
}

/* --- and made ------------------------------------------------------------- */

/* The place for the bytes first: a row without one could not be gone on with */
static enum err make(struct tus *t)
{
	enum err e = resumable_create(t->app->store, t->u.id, &t->rs->why);

	if (e != ERR_OK)
		return e;
	e = tus_uploads_add(t->app->db, &t->who, t->owner, &t->app->quota,
			    &t->u, &t->rs->why);
	if (e != ERR_OK && e != ERR_UNAVAILABLE)
		(void)!resumable_remove(t->app->store, t->u.id, NULL);
	store_unlock(t->app->store, t->u.id);
	return e;
}

/* The first bytes may come along ("Creation With Upload"). If anything goes
 * wrong with them the client is told that, and never where the upload is: then
 * nobody can go on with it. */
static enum err first_bytes(struct tus *t)
{
	int64_t at = 0;
	enum err e = ERR_OK;

	if (tus_has_bytes(t->rq) && t->rq->content_length != 0)
		e = tus_receive(t, &at);
	if (e == ERR_OK && at == t->u.length && t->u.concat == TUS_WHOLE)
		e = tus_complete(t, NULL, 0);
	if (e != ERR_OK)
		(void)!tus_remove(t);
	else if (tus_has_bytes(t->rq))
		response_header_int(t->rs, "Upload-Offset", at);
	return e;
}

static enum err answer(struct tus *t)
{
	char tail[sizeof("/tus/?owner=") + UUID_LEN + 20];
	struct buf url;

	if (t->owner == 0)
		(void)snprintf(tail, sizeof(tail), "/tus/%s", t->u.id);
	else
		(void)snprintf(tail, sizeof(tail), "/tus/%s?owner=%llu",
			       t->u.id, (unsigned long long)t->owner);
	buf_init(&url, REQUEST_PATH_MAX);
	public_url_add(t->app, t->rq, tail, &url);
	response_header(t->rs, "Location", buf_span(&url));
	buf_release(&url);
	if (t->u.concat != TUS_FINAL)
		tus_expires(t, request_time(t->rq));
	response_header_int(t->rs, "Content-Length", 0);
	return response_empty(t->rs, 201);
}

enum err handle_tus_new(void *app, struct request *rq, struct response *rs)
{
	struct span parts = { NULL, 0 };
	struct tus *t = arena_alloc(rq->arena, sizeof(*t));
	enum err e;

	if (t == NULL)
		return ERR_MEMORY;
	*t = (struct tus) { .app = app };
	e = tus_begin(t, app, rq, rs);
	/* Nothing is known yet of who shows an API token */
	if (e == ERR_OK)
		e = session_check_api(t->app->db, rq, "files:write", &rs->why);
	if (e == ERR_OK)
		e = read_wanted(t, &parts);
	if (e != ERR_OK)
		return e;
	if (t->u.concat == TUS_FINAL) {
		e = tus_join(t, parts);
	} else {
		e = make(t);
		if (e == ERR_OK)
			e = first_bytes(t);
	}
	return e == ERR_OK ? answer(t) : e;
}
