/* POST, GET /upload-links and DELETE /upload-links/{id}: upload links, for
 * their owner. Only the response that creates a link contains its address. */
#include "cgi-gateway/app/public_url.h"
#include "cgi-gateway/app/request_params.h"
#include "cgi-gateway/manage/link_params.h"
#include "cgi-gateway/tables/file_json.h"
#include "cgi-gateway/tables/upload_links.h"
#include "common/http/body.h"

#include <sodium.h>

/* Limits of uploads by a leaked link, unless its owner sets others */
enum {
	FILES_DEFAULT = 100,
	BYTES_DEFAULT = 1 << 30,
};

/* The highest limits that can be set */
#define FILES_MAX INT64_C(1000000)
#define BYTES_MAX (INT64_C(1) << 50)

static struct json_object *upload_link_json(const struct upload_link *l)
{
	struct json_object *o = json_object_new_object();

	if (o == NULL)
		return NULL;
	json_set_str(o, "id", l->id);
	json_set_str(o, "name", l->name);
	file_json_set_time(o, "created_at", l->created_at);
	file_json_set_time(o, "expires_at", l->expires_at);
	file_json_set_limit(o, "max_files", l->limits.files);
	json_set_int(o, "files", l->used.files);
	file_json_set_limit(o, "max_bytes", l->limits.bytes);
	json_set_int(o, "bytes", l->used.bytes);
	file_json_set_limit(o, "max_file_bytes", l->max_file_bytes);
	return o;
}

/* --- creating ------------------------------------------------------------- */

static enum err read_link_name(struct json_object *o, struct response *rs,
			       struct upload_link *l)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, "name", &v) ||
	    (json_object_is_type(v, json_type_string) &&
	     json_object_get_string_len(v) == 0))
		return ERR_OK;
	return body_label(o, "name", l->name, sizeof(l->name),
			  UPLOAD_LINK_NAME_CHARS, rs);
}

static enum err read_upload_link(struct request *rq, struct response *rs,
				 struct upload_link *l)
{
	static const char *const members[] = { "name",		 "expires_in",
					       "max_files",	 "max_bytes",
					       "max_file_bytes", NULL };
	struct json_object *o = NULL;
	enum err e = link_params_read(rq, rs, members, &o);

	*l = (struct upload_link) { .limits = { BYTES_DEFAULT,
						FILES_DEFAULT } };
	if (e == ERR_OK)
		e = read_link_name(o, rs, l);
	if (e == ERR_OK)
		e = link_params_expiry(o, rq, rs, &l->expires_at);
	if (e == ERR_OK)
		e = link_params_limit(o, "max_files", FILES_MAX, rs,
				      &l->limits.files);
	if (e == ERR_OK)
		e = link_params_limit(o, "max_bytes", BYTES_MAX, rs,
				      &l->limits.bytes);
	if (e == ERR_OK)
		e = link_params_limit(o, "max_file_bytes", BYTES_MAX, rs,
				      &l->max_file_bytes);
	json_object_put(o);
	return e;
}

static enum err respond_new_upload_link(const struct app *app,
					const struct request *rq,
					struct response *rs,
					const struct upload_link *l,
					const char *token)
{
	struct json_object *o = upload_link_json(l);
	char tail[sizeof("/u/") + LINK_TOKEN_LEN];
	enum err e;

	if (o == NULL)
		return ERR_MEMORY;
	(void)snprintf(tail, sizeof(tail), "/u/%s", token);
	public_url_set(app, rq, o, tail);
	e = response_json(rs, 201, o);
	json_object_put(o);
	return e;
}

enum err handle_upload_link_new(void *app_, struct request *rq,
				struct response *rs)
{
	struct app *app = app_;
	char token[LINK_TOKEN_LEN + 1];
	struct upload_link l;
	uint64_t owner;
	enum err e = read_upload_link(rq, rs, &l);

	if (e == ERR_OK)
		e = request_owner(app, rq, rs, &owner);
	if (e == ERR_OK)
		e = upload_links_add(app->db, rq->session, owner, &l, token,
				     &rs->why);
	if (e == ERR_TOO_MANY)
		return response_explain(rs, e,
					"There are %d upload links, the "
					"maximum. Revoke one first.",
					UPLOAD_LINK_OWNER_MAX);
	if (e != ERR_OK)
		return e;
	e = respond_new_upload_link(app, rq, rs, &l, token);
	sodium_memzero(token, sizeof(token));
	return e;
}

/* --- listing and revoking ------------------------------------------------- */

struct listing {
	struct json_list list;
	struct upload_link row;
};

static enum err add_upload_link(void *arg)
{
	struct listing *l = arg;

	return json_list_add(&l->list, upload_link_json(&l->row));
}

enum err handle_upload_links(void *app_, struct request *rq,
			     struct response *rs)
{
	struct app *app = app_;
	struct listing l;
	uint64_t owner;
	enum err e = request_owner(app, rq, rs, &owner);

	if (e != ERR_OK)
		return e;
	json_list_begin(&l.list, "links");
	e = upload_links_list(app->db, rq->session, owner, &l.row,
			      add_upload_link, &l, &rs->why);
	if (e == ERR_OK)
		e = response_list(rs, &l.list, "");
	json_list_release(&l.list);
	return e;
}

enum err handle_upload_link_end(void *app_, struct request *rq,
				struct response *rs)
{
	struct app *app = app_;
	uint64_t owner;
	enum err e = request_owner(app, rq, rs, &owner);

	if (e == ERR_OK)
		e = upload_links_revoke(app->db, rq->session, owner, rq->param,
					&rs->why);
	return e == ERR_OK ? response_empty(rs, 204) : e;
}
