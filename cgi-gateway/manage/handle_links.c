/* GET, POST /files/{id}/links and DELETE /links/{id}: share links. Only the
 * response that creates a link contains its URL. */
#include "cgi-gateway/app/public_url.h"
#include "cgi-gateway/app/request_params.h"
#include "cgi-gateway/manage/link_params.h"
#include "cgi-gateway/tables/file_json.h"
#include "cgi-gateway/tables/links.h"

#include <sodium.h>

enum {
	DOWNLOADS_MAX = 1000 * 1000, /* the highest max_downloads */
};

static struct json_object *link_json(const struct link *l)
{
	struct json_object *o = json_object_new_object();

	if (o == NULL)
		return NULL;
	json_set_str(o, "id", l->id);
	file_json_set_time(o, "created_at", l->created_at);
	file_json_set_time(o, "expires_at", l->expires_at);
	file_json_set_limit(o, "max_downloads", l->max_downloads);
	json_set_int(o, "downloads", l->downloads);
	return o;
}

/* --- creating ------------------------------------------------------------- */

static enum err read_link(struct request *rq, struct response *rs,
			  struct link *l)
{
	static const char *const members[] = { "expires_in", "max_downloads",
					       NULL };
	struct json_object *o = NULL;
	enum err e = link_params_read(rq, rs, members, &o);

	*l = (struct link) { .max_downloads = LINK_NO_LIMIT };
	if (e == ERR_OK)
		e = link_params_expiry(o, rq, rs, &l->expires_at);
	if (e == ERR_OK)
		e = link_params_limit(o, "max_downloads", DOWNLOADS_MAX, rs,
				      &l->max_downloads);
	json_object_put(o);
	return e;
}

static enum err respond_new_link(const struct app *app,
				 const struct request *rq, struct response *rs,
				 const struct link *l, const char *token)
{
	struct json_object *o = link_json(l);
	char tail[sizeof("/s/") + LINK_TOKEN_LEN];
	enum err e;

	if (o == NULL)
		return ERR_MEMORY;
	(void)snprintf(tail, sizeof(tail), "/s/%s", token);
	public_url_set(app, rq, o, tail);
	e = response_json(rs, 201, o);
	json_object_put(o);
	return e;
}

enum err handle_link_new(void *app_, struct request *rq, struct response *rs)
{
	struct app *app = app_;
	char token[LINK_TOKEN_LEN + 1];
	struct link l;
	struct file f;
	enum err e = read_link(rq, rs, &l);

	if (e == ERR_OK)
		e = request_file(app, rq, rs, &f);
	if (e == ERR_OK)
		e = links_add(app->db, rq->session, &f, &l, token, &rs->why);
	if (e == ERR_TOO_MANY)
		return response_explain(
			rs, e,
			"The file has %d links, the maximum. Revoke one first.",
			LINK_FILE_MAX);
	if (e != ERR_OK)
		return e;
	e = respond_new_link(app, rq, rs, &l, token);
	sodium_memzero(token, sizeof(token));
	return e;
}

/* --- listing and revoking ------------------------------------------------- */

struct listing {
	struct json_list list;
	struct link row;
};

static enum err add_link(void *arg)
{
	struct listing *l = arg;

	return json_list_add(&l->list, link_json(&l->row));
}

enum err handle_links(void *app_, struct request *rq, struct response *rs)
{
	struct app *app = app_;
	struct listing l;
	struct file f;
	enum err e = request_file(app, rq, rs, &f);

	if (e != ERR_OK)
		return e;
	json_list_begin(&l.list, "links");
	e = links_list(app->db, &f, &l.row, add_link, &l, &rs->why);
	if (e == ERR_OK)
		e = response_list(rs, &l.list, "");
	json_list_release(&l.list);
	return e;
}

enum err handle_link_end(void *app_, struct request *rq, struct response *rs)
{
	struct app *app = app_;
	uint64_t owner;
	enum err e = request_owner(app, rq, rs, &owner);

	if (e == ERR_OK)
		e = links_revoke(app->db, rq->session, owner, rq->param,
				 &rs->why);
	return e == ERR_OK ? response_empty(rs, 204) : e;
}
