/* POST /logout: end this session, or with ?all=1 every login of the user. Its
 * access token and refresh tokens are invalid at once. API tokens are not
 * logins: DELETE /tokens/{id} revokes one. */
#include "cgi-auth/app/audit_note.h"
#include "cgi-auth/app/refresh_cookie.h"
#include "cgi-auth/tables/sessions.h"

struct ending {
	const struct request *rq;
	bool all;
};

static enum err end_sessions(struct db_conn *c, void *arg, struct errmsg *why)
{
	const struct ending *w = arg;
	uint64_t user = w->rq->claims.user_id;
	enum err e;

	if (w->all)
		return sessions_end_within(
			c, user,
			(struct sessions_chosen) { .tokens = false, .but = "" },
			w->rq->now, why);
	e = sessions_end(c, user, false, w->rq->bearer_id.session, w->rq->now,
			 why);
	/* Not found: another request has just ended it */
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err read_all(const struct request *rq, struct response *rs,
			 bool *all)
{
	struct span text;
	enum err e = request_query(rq, "all", &text);

	*all = false;
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e != ERR_OK)
		return e;
	*all = span_eq(text, SPAN("1"));
	if (!*all && !span_eq(text, SPAN("0")))
		return response_explain(rs, ERR_INVALID, "all must be 1 or 0.");
	return ERR_OK;
}

enum err handle_logout(void *app, struct request *rq, struct response *rs)
{
	struct auth *a = app;
	struct ending w = { .rq = rq };
	enum err e = read_all(rq, rs, &w.all);

	if (e == ERR_OK)
		e = audit_note_change(a, rq, "logout", w.all ? "all" : "this",
				      end_sessions, &w, &rs->why);
	if (e != ERR_OK)
		return e;
	refresh_cookie_clear(rq, rs);
	return response_empty(rs, 204);
}
