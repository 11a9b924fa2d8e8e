#include "cgi-gateway/app/request_params.h"

enum {
	EXPIRY_MAX = 10 * 366 * 86400, /* seconds */
};

/* Read ?owner=, which only an admin may use */
static enum err named_owner(const struct app *app, struct request *rq,
			    struct response *rs, struct span text,
			    uint64_t *out)
{
	int64_t n;
	enum err e;

	/* The scopes of an API token are only in its row */
	e = session_check_identify(app->db, rq->session, &rs->why);
	if (e != ERR_OK)
		return e;
	if (!rq->claims.admin ||
	    !span_list_has(span_of(rq->claims.scope), SPAN("admin")))
		return response_explain(rs, ERR_SCOPE,
					"Only an admin may use ?owner=.");
	if (!span_to_int(text, &n) || n == 0)
		return response_explain(
			rs, ERR_INVALID,
			"?owner= must be the number of a user.");
	*out = (uint64_t)n;
	return ERR_OK;
}

enum err request_owner(const struct app *app, struct request *rq,
		       struct response *rs, uint64_t *owner)
{
	struct span text;
	enum err e = request_query(rq, "owner", &text);

	*owner = 0;
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	return e == ERR_OK ? named_owner(app, rq, rs, text, owner) : e;
}

enum err request_file(const struct app *app, struct request *rq,
		      struct response *rs, struct file *out)
{
	uint64_t owner;
	enum err e = request_owner(app, rq, rs, &owner);

	return e == ERR_OK ? files_find(app->db, rq->session, owner, rq->param,
					out, &rs->why)
			   : e;
}

enum err request_expiry(const struct request *rq, struct response *rs,
			int64_t seconds, int64_t *out)
{
	if (seconds < 1 || seconds > EXPIRY_MAX)
		return response_explain(
			rs, ERR_INVALID,
			"expires_in must be a number of seconds from 1 to %d.",
			EXPIRY_MAX);
	*out = rq->now + seconds;
	return ERR_OK;
}
