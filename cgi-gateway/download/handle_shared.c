/* GET /s/{token}: download a file by its share link. No account is needed. */
#include "cgi-gateway/download/send_file.h"
#include "cgi-gateway/tables/links.h"

/* Check, and count, a download. ERR_GONE if the link allows no more. Which
 * requests are a download, and which resume one:
 * docs/decisions/0014-a-resumed-download-counts-once.md */
static enum err check_downloads(struct app *app, const struct request *rq,
				struct response *rs, const struct link *l,
				const struct send_file *s)
{
	enum err e = ERR_GONE;

	if (rq->head || s->kind == SEND_FILE_NOT_MODIFIED ||
	    s->kind == SEND_FILE_UNSATISFIABLE || s->kind == SEND_FILE_REFUSED)
		return link_has_left(l) ? ERR_OK : ERR_GONE;
	if (s->kind == SEND_FILE_RANGE && s->range.first > 0)
		e = links_resume(app->db, l, rq->now, &rs->why);
	if (e == ERR_GONE)
		e = links_count(app->db, l, rq->now, &rs->why);
	return e;
}

/* Whether the download is not counted. The response must then be exactly the
 * planned one: a server that interprets the request differently could send more
 */
static bool is_uncounted(const struct link *l, const struct send_file *s)
{
	switch (s->kind) {
	case SEND_FILE_WHOLE:
		return false;
	case SEND_FILE_RANGE:
		return s->range.first > 0 && l->max_downloads != LINK_NO_LIMIT;
	default:
		return true;
	}
}

enum err handle_shared(void *app_, struct request *rq, struct response *rs)
{
	struct app *app = app_;
	struct send_file s;
	struct link l;
	struct file f;
	enum err e = links_find(app->db, rq->param, rq->now, &l, &f, &rs->why);

	if (e == ERR_OK) {
		send_file_plan(&s, rq, &f);
		e = check_downloads(app, rq, rs, &l, &s);
	}
	if (e == ERR_GONE)
		return response_explain(rs, e,
					"This link has expired, was revoked or "
					"is used up, or its file was deleted. "
					"Ask the person who gave it to you for "
					"a new one.");
	if (e != ERR_OK)
		return e;
	if (is_uncounted(&l, &s))
		return send_file_stream(&s, app, rq, rs);
	return send_file_respond(&s, app, rq, rs);
}
