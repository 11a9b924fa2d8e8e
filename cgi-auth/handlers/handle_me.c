/* GET /me: the user of the token, as in the database now */
#include "cgi-auth/app/auth.h"
#include "cgi-auth/tables/otp.h"
#include "cgi-auth/tables/users.h"
#include "common/codec/http_date.h"

static enum err answer_user(const struct user *u, bool otp, struct response *rs)
{
	struct json_object *o = json_object_new_object();
	char when[RFC3339_LEN + 1];
	enum err e;

	if (o == NULL)
		return ERR_MEMORY;
	rfc3339_format(u->created_at, when);
	json_set_int(o, "id", (int64_t)u->id);
	json_set_str(o, "email", u->email);
	json_set_bool(o, "admin", u->admin);
	json_set_str(o, "scope", u->scope);
	json_set_bool(o, "otp", otp);
	json_set_str(o, "created_at", when);
	e = response_json(rs, 200, o);
	json_object_put(o);
	return e;
}

enum err handle_me(void *app, struct request *rq, struct response *rs)
{
	struct auth *a = app;
	struct user u;
	enum err e =
		users_by_session(a->service->db, rq->session, &u, &rs->why);

	if (e != ERR_OK)
		return e;
	/* An empty code: does a login of this user require one? */
	e = otp_check(a->service->db, u.id, SPAN(""), rq->now, &rs->why);
	if (e != ERR_OK && e != ERR_OTP_REQUIRED)
		return e;
	return answer_user(&u, e == ERR_OTP_REQUIRED, rs);
}
