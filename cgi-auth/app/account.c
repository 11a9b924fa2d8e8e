#include "cgi-auth/app/account.h"

#include "common/access/session_check.h"

static enum err explain(struct response *rs, enum err e)
{
	if (e != ERR_BAD_TOKEN && e != ERR_NOT_FOUND)
		return e;
	return response_explain(rs, ERR_BAD_TOKEN,
				"The session of this token has ended. Log in "
				"again.");
}

enum err account_check(struct auth *a, struct request *rq, struct response *rs)
{
	enum err e = session_check_alone(a->service->db, rq, "", &rs->why);

	if (e == ERR_OK && rq->bearer_id.api)
		(void)snprintf(rq->claims.issuer, sizeof(rq->claims.issuer),
			       "%s", a->service->rules.issuer);
	return explain(rs, e);
}

static enum err refuse_api(struct response *rs)
{
	return response_explain(rs, ERR_SCOPE,
				"An API token may not do this; log in with "
				"email and password.");
}

enum err account_check_login(struct auth *a, struct request *rq,
			     struct response *rs)
{
	enum err e = account_check(a, rq, rs);

	return e == ERR_OK && rq->bearer_id.api ? refuse_api(rs) : e;
}

enum err account_user(struct auth *a, struct request *rq, struct response *rs,
		      struct user *out)
{
	struct session_check c;
	enum err e;

	if (rq->bearer_id.api) { /* two round trips, but its use is noted */
		e = account_check(a, rq, rs);
		if (e == ERR_OK)
			e = users_by_id(a->service->db, rq->claims.user_id, out,
					&rs->why);
		return explain(rs, e);
	}
	session_check_init(&c, rq, "");
	e = users_by_caller(a->service->db, &c, out, &rs->why);
	if (e == ERR_OK && out->id != rq->claims.user_id)
		e = ERR_BAD_TOKEN;
	return explain(rs, e);
}

enum err account_login_user(struct auth *a, struct request *rq,
			    struct response *rs, struct user *out)
{
	enum err e = account_user(a, rq, rs, out);

	return e == ERR_OK && rq->bearer_id.api ? refuse_api(rs) : e;
}
