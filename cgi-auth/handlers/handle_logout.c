/* POST /logout: end this session, or with ?all=1 every login of the user. Its
 * access token and refresh tokens are invalid at once. API tokens are not
 * logins: DELETE /tokens/{id} revokes one. */
#include "cgi-auth/app/audit_note.h"
#include "cgi-auth/app/refresh_cookie.h"
#include "cgi-auth/tables/sessions.h"

static enum err end_sessions(struct auth *a, const struct request *rq, bool all,
			     struct errmsg *why)
{
	uint64_t user = rq->claims.user_id;
	enum err e;

	if (all)
		return sessions_end_chosen(
			a->service->db, user,
			(struct sessions_chosen) { .tokens = false, .but = "" },
			rq->now, why);
	e = sessions_end(a->service->db, user, false, rq->bearer_id.session,
			 rq->now, why);
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
	bool all;
	enum err e = read_all(rq, rs, &all);

	if (e == ERR_OK)
		e = end_sessions(a, rq, all, &rs->why);
	if (e != ERR_OK)
		return e;
	audit_note_caller(a, rq, "logout", all ? "all" : "this");
	refresh_cookie_clear(rq, rs);
	return response_empty(rs, 204);
}
