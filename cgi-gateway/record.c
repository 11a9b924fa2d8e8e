#include "record.h"

#include "encode.h"
#include "http_date.h"

enum {
	EXPIRY_MAX = 10 * 366 * 86400, /* seconds; longer is a mistake */
};

static void add_url(const struct app *app, struct span prefix, const char *tail,
		    struct buf *out)
{
	struct span base = span_of(app->public_url);

	/* As people write it, with a slash at its end or without */
	if (span_has_suffix(base, SPAN("/")))
		base.len--;
	buf_add(out, base);
	buf_add(out, prefix);
	buf_add_str(out, tail);
}

void record_url(const struct app *app, const struct request *rq,
		const char *tail, struct buf *out)
{
	add_url(app, rq->prefix, tail, out);
}

void record_page_url(const struct app *app, const char *tail, struct buf *out)
{
	add_url(app, SPAN(""), tail, out);
}

void record_set_time(struct json_object *o, const char *key, int64_t t)
{
	char text[RFC3339_LEN + 1];

	if (t == FILES_NEVER) {
		(void)json_object_object_add(o, key, NULL);
		return;
	}
	rfc3339_format(t, text);
	json_set_str(o, key, text);
}

void record_set_limit(struct json_object *o, const char *key, int64_t limit)
{
	if (limit == QUOTA_NONE)
		(void)json_object_object_add(o, key, NULL);
	else
		json_set_int(o, key, limit);
}

static void set_sha256(struct json_object *o, const struct file *f)
{
	char hex[HEX_SIZE(SHA256_LEN)];

	hex_encode((struct span) { (const char *)f->sha256, SHA256_LEN }, hex,
		   sizeof(hex));
	json_set_str(o, "sha256", hex);
}

struct json_object *record_receipt(const struct file *f)
{
	struct json_object *o = json_object_new_object();

	if (o == NULL)
		return NULL;
	json_set_str(o, "name", f->name);
	json_set_int(o, "size", f->size);
	set_sha256(o, f);
	return o;
}

void record_set(struct json_object *o, const struct file *f)
{
	json_set_str(o, "id", f->id);
	json_set_str(o, "name", f->name);
	json_set_int(o, "size", f->size);
	json_set_str(o, "type", f->type);
	if (f->claimed_type[0] != '\0')
		json_set_str(o, "claimed_type", f->claimed_type);
	else
		(void)json_object_object_add(o, "claimed_type", NULL);
	set_sha256(o, f);
	record_set_time(o, "created_at", f->created_at);
	record_set_time(o, "expires_at", f->expires_at);
	if (f->upload_link[0] != '\0')
		json_set_str(o, "upload_link", f->upload_link);
	else
		(void)json_object_object_add(o, "upload_link", NULL);
}

void record_set_url(const struct app *app, const struct request *rq,
		    struct json_object *o, const char *tail)
{
	struct buf url;

	buf_init(&url, REQUEST_PATH_MAX);
	record_url(app, rq, tail, &url);
	json_set_span(o, "url", buf_span(&url));
	buf_release(&url);
}

struct json_object *record_json(const struct app *app, const struct request *rq,
				const struct file *f)
{
	struct json_object *o = json_object_new_object();
	char tail[sizeof("/download/") + UUID_LEN];

	if (o == NULL)
		return NULL;
	record_set(o, f);
	(void)snprintf(tail, sizeof(tail), "/download/%s", f->id);
	record_set_url(app, rq, o, tail);
	return o;
}

/* ?owner=, for an admin */
static enum err named_owner(const struct app *app, struct request *rq,
			    struct response *rs, struct span text,
			    uint64_t *out)
{
	int64_t n;
	enum err e;

	/* What an API token may do is in the table alone */
	e = caller_check_api(app->db, rq, "", &rs->why);
	if (e != ERR_OK)
		return e;
	if (!rq->claims.admin ||
	    !span_list_has(span_of(rq->claims.scope), SPAN("admin")))
		return response_explain(rs, ERR_SCOPE,
					"Only an admin may name ?owner=.");
	if (!span_to_int(text, &n) || n == 0)
		return response_explain(rs, ERR_INVALID,
					"?owner= is the number of a user.");
	*out = (uint64_t)n;
	return ERR_OK;
}

enum err record_caller(const struct app *app, struct request *rq,
		       struct response *rs, const char *scope,
		       struct caller *who, uint64_t *owner)
{
	struct span text;
	enum err e = request_query(rq, "owner", &text);

	caller_init(who, rq, scope);
	*owner = 0;
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	return e == ERR_OK ? named_owner(app, rq, rs, text, owner) : e;
}

enum err record_expiry(const struct request *rq, struct response *rs,
		       int64_t seconds, int64_t *out)
{
	if (seconds < 1 || seconds > EXPIRY_MAX)
		return response_explain(rs, ERR_INVALID,
					"expires_in is in seconds, from 1 to "
					"%d.",
					EXPIRY_MAX);
	*out = rq->now + seconds;
	return ERR_OK;
}
