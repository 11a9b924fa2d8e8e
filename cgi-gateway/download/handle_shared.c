/* GET /s/{token}: a file for whoever has the address. */
#include "cgi-gateway/download/send_file.h"
#include "cgi-gateway/tables/links.h"

/* Which requests are a download, and which go on with one, is told in
 * docs/decisions/0017-a-resumed-download-is-one.md */
static enum err admit(struct app *app, const struct request *rq,
		      struct response *rs, const struct link *l,
		      const struct send_file *d)
{
	enum err e = ERR_GONE;

	if (rq->head || d->kind == SEND_FILE_NOT_MODIFIED ||
	    d->kind == SEND_FILE_UNSATISFIABLE)
		return link_has_left(l) ? ERR_OK : ERR_GONE;
	if (d->kind == SEND_FILE_RANGE && d->range.first > 0)
		e = links_resume(app->db, l, rq->now, &rs->why);
	if (e == ERR_GONE)
		e = links_count(app->db, l, rq->now, &rs->why);
	return e;
}

/* Then it must not become more than was planned, which another's reading of
 * the request could make of it */
static bool is_uncounted(const struct link *l, const struct send_file *d)
{
	switch (d->kind) {
	case SEND_FILE_WHOLE:
		return false;
	case SEND_FILE_RANGE:
		return d->range.first > 0 && l->max_downloads != LINK_NO_LIMIT;
	default:
		return true;
	}
}

enum err handle_shared(void *app_, struct request *rq, struct response *rs)
{
	struct app *app = app_;
	struct send_file d;
	struct link l;
	struct file f;
	enum err e = links_find(app->db, rq->param, rq->now, &l, &f, &rs->why);

	if (e == ERR_OK) {
		send_file_plan(&d, rq, &f);
		e = admit(app, rq, rs, &l, &d);
	}
	if (e == ERR_GONE)
		return response_explain(rs, e,
					"This link has expired, was revoked or "
					"is used up, or its file was deleted.");
	if (e != ERR_OK)
		return e;
	if (is_uncounted(&l, &d))
		return send_file_stream(&d, app, rq, rs);
	return send_file_respond(&d, app, rq, rs);
}
