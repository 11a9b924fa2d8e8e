#include "cgi-gateway/upload/upload_by_link.h"

#include "cgi-gateway/tables/file_json.h"
#include "cgi-gateway/tables/upload_link_room.h"

#include <string.h>

struct by_link {
	struct span token;
	struct upload_link link;
	/* of its owner, if has_usage */
	struct usage usage;
	bool has_usage;
};

/* Check the link as last read, which may be out of date; its row decides in the
 * end */
static enum err check_limits(const struct upload *u, int64_t files,
			     int64_t bytes)
{
	const struct by_link *l = u->origin_data;
	const struct amount left = upload_link_left(&l->link);

	if (files > left.files)
		return response_explain(u->rs, ERR_QUOTA,
					"Too many files: this link accepts "
					"%lld more. Nothing was stored; send "
					"fewer files.",
					(long long)left.files);
	if (bytes > left.bytes)
		return response_explain(u->rs, ERR_QUOTA,
					"Too many bytes: this link accepts "
					"%lld more. Nothing was stored; send "
					"fewer or smaller files.",
					(long long)left.bytes);
	return ERR_OK;
}

static enum err explain_no_room(struct upload *u)
{
	return response_explain(
		u->rs, ERR_QUOTA,
		"There is no room left for uploads by this link. Nothing was "
		"stored. Ask the person who gave you the link to make room.");
}

static enum err check_room(struct upload *u, struct amount more)
{
	const struct by_link *l = u->origin_data;
	struct usage usage = l->usage;
	enum err e = ERR_OK;

	if (!l->has_usage)
		e = quota_show(u->app->db, l->link.owner, &u->app->quota,
			       &usage, &u->rs->why);

	if (e == ERR_OK && usage_check_room(&usage, more) != ERR_OK)
		return explain_no_room(u);
	return e;
}

static enum err find_link(struct upload *u)
{
	struct by_link *l = u->origin_data;
	enum err e;

	if (u->admitting)
		e = upload_link_room(u->app->db, l->token, request_begun(u->rq),
				     &u->app->quota, &l->link, &l->usage,
				     &u->rs->why);
	else
		e = upload_links_find(u->app->db, l->token,
				      request_begun(u->rq), &l->link,
				      &u->rs->why);
	l->has_usage = u->admitting && e == ERR_OK;

	if (e == ERR_OK)
		db_act_for(l->link.owner);
	return e == ERR_GONE ? response_explain(u->rs, e, UPLOAD_LINK_GONE) : e;
}

/* Explain that other uploads were faster. Only the row shows whether the link
 * has ended, or how much it still accepts. */
static enum err explain_refusal(struct upload *u)
{
	enum err e = find_link(u);

	if (e == ERR_OK)
		e = check_limits(u, (int64_t)u->count, u->bytes);
	return e == ERR_OK ? ERR_GONE : e;
}

static uint64_t owner(const struct upload *u)
{
	const struct by_link *l = u->origin_data;

	return l->link.owner;
}

static enum err insert_rows(struct upload *u)
{
	const struct by_link *l = u->origin_data;
	enum err e = upload_links_receive(
		u->app->db, &l->link, request_begun(u->rq), &u->app->quota,
		u->files, u->count, &u->app->webhook_targets, &u->rs->why);

	if (e == ERR_QUOTA || e == ERR_QUOTA_FILES)
		return explain_no_room(u);
	return e == ERR_GONE ? explain_refusal(u) : e;
}

static struct json_object *receipt_json(const struct upload *u,
					const struct file *f)
{
	(void)u;
	return file_json_receipt(f);
}

static enum err respond(struct upload *u)
{
	return upload_respond(u, receipt_json);
}

static enum err set_expiry(struct upload *u, struct span text)
{
	(void)text;
	return response_explain(u->rs, ERR_INVALID,
				"expires_in cannot be set for files that are "
				"sent by an upload link. Send the form without "
				"it.");
}

static const struct upload_origin by_link = {
	.check_limits = check_limits,
	.check_room = check_room,
	.insert_rows = insert_rows,
	.owner = owner,
	.set_expiry = set_expiry,
	.respond = respond,
};

enum err upload_by_link_begin(struct upload *u, struct app *app,
			      struct request *rq, struct response *rs,
			      struct span token)
{
	struct by_link *l;
	enum err e = upload_init(u, app, rq, rs, &by_link, sizeof(*l));

	if (e != ERR_OK)
		return e;
	l = u->origin_data;
	l->token = token;
	e = find_link(u);
	if (e != ERR_OK)
		return e;
	memcpy(u->file_defaults.upload_link, l->link.id,
	       sizeof(u->file_defaults.upload_link));
	u->max_file = upload_link_max_file(&l->link, app->max_upload);
	if (u->max_file < app->max_upload)
		u->max_file_limit = "the limit of this link";
	return ERR_OK;
}
