/* POST /login: email and password for a token.
 *
 * Whichever of the two is wrong, the answer is the same after the same time:
 * one query and one check of a hash. Only the log says which it was.
 */
#include "cgi-auth/app/audit_note.h"
#include "cgi-auth/app/grant.h"
#include "cgi-auth/app/password_attempt.h"
#include "cgi-auth/app/refresh_cookie.h"
#include "cgi-auth/password/basic_credentials.h"
#include "cgi-auth/tables/otp.h"
#include "cgi-auth/tables/refresh.h"
#include "cgi-auth/tables/sessions.h"
#include "common/http/client.h"
#include "common/log/log.h"

#include <sodium.h>

/* `outcome` is a word of metrics.h. An attempt that throttle.h refused and one
 * without an email get no row: anybody can send floods of them. */
static void record_login(struct auth *a, const struct request *rq,
			 uint64_t user_id, const char *email,
			 const char *outcome, bool row)
{
	metrics_login(a->service->metrics, outcome);
	if (row)
		audit_note(a, rq, "login", user_id, email, outcome);
	else
		audit_note_line(a, rq, "login", user_id, email, outcome);
}

static void log_plaintext_password(const struct request *rq,
				   const struct user *u)
{
	struct log_line l;

	log_begin(&l, LOG_WARN, "plaintext-password");
	log_str(&l, "request_id", rq->id);
	log_int(&l, "user_id", (int64_t)u->id);
	log_str(&l, "detail",
		"this row of the table user has its password in plain text, "
		"so the user cannot log in");
	log_str(&l, "remedy", "auth-admin user import-plaintext");
	log_end(&l);
}

struct login {
	struct basic_credentials c;
	struct user u;	     /* id 0 until the user is found */
	bool renew;	     /* store the password's hash anew */
	const char *outcome; /* for the log */
};

/* The user of these credentials */
static enum err find_user(struct auth *a, const struct request *rq,
			  enum fifo_queue_name queue, struct login *l,
			  struct errmsg *why)
{
	struct user *u = &l->u;
	enum err e = users_by_email(a->service->db, span_of(l->c.user), u, why);
	bool known = e == ERR_OK;
	bool usable = known && u->disabled_at == USER_ENABLED;

	l->outcome = "unavailable";
	if (!known && e != ERR_NOT_FOUND)
		return e;
	e = password_check(&a->passwords, queue, usable ? u->password : NULL,
			   l->c.password, &l->renew);
	if (e == ERR_UNAVAILABLE)
		return err_set(why, e,
			       "no slot or memory to check a password "
			       "in time");
	if (e == ERR_OK)
		l->outcome = "ok";
	else if (!known)
		l->outcome = "unknown-user";
	else if (!usable)
		l->outcome = "disabled";
	else if (e == ERR_INVALID)
		l->outcome = "unusable-password";
	else
		l->outcome = "wrong-password";
	if (e == ERR_INVALID && password_kind(u->password) == PASSWORD_PLAIN)
		log_plaintext_password(rq, u);
	return e == ERR_OK ? ERR_OK : ERR_CREDENTIALS;
}

/* The password is known now: store it in the current form. The login does not
 * depend on it; the next one tries again. */
static void rehash(struct auth *a, const struct request *rq,
		   const struct login *l)
{
	const struct user *u = &l->u;
	char hash[PASSWORD_HASH_MAX + 1];
	struct errmsg cause = { "" };
	struct log_line line;
	enum err e;

	if (!l->renew)
		return;
	e = password_hash(&a->passwords, l->c.password, hash);
	if (e == ERR_OK)
		e = users_rehash(a->service->db, u->id, u->password, hash,
				 &cause);
	/* Not found: the password was changed meanwhile, so no rehash is due */
	if (e == ERR_NOT_FOUND)
		return;
	log_begin(&line, e == ERR_OK ? LOG_INFO : LOG_WARN, "rehash");
	log_str(&line, "request_id", rq->id);
	log_int(&line, "user_id", (int64_t)u->id);
	log_str(&line, "outcome", e == ERR_OK ? "ok" : err_text(e));
	if (cause.text[0] != '\0')
		log_str(&line, "why", cause.text);
	log_end(&line);
}

/* A new session: two or three statements */
static enum err open_session(struct auth *a, const struct request *rq,
			     const struct user *u, struct session *s,
			     struct errmsg *why)
{
	const struct session_basis as_read = {
		.password_changed_at = u->password_changed_at,
		.email = u->email,
		.admin = u->admin,
	};
	struct client client;
	enum err e;

	client_of(rq, a->service->settings.trusted_proxies, &client);
	*s = (struct session) {
		.user_id = u->id,
		.created_at = rq->now,
		.expires_at = rq->now + a->settings.session_life,
	};
	ident_random(s->id);
	(void)snprintf(s->scope, sizeof(s->scope), "%s", u->scope);
	(void)snprintf(s->address, sizeof(s->address), "%s", client.address);
	e = sessions_add_login(a->service->db, s, &as_read, why);
	if (e == ERR_NOT_FOUND) /* changed while we checked it */
		return ERR_CREDENTIALS;
	if (e != ERR_OK)
		return e;
	return sessions_trim_logins(a->service->db, u->id, s->id, rq->now, why);
}

static enum err answer_grant(struct auth *a, const struct request *rq,
			     const struct user *u, struct response *rs)
{
	const struct refresh_rules rules = { a->settings.refresh_life,
					     a->settings.refresh_grace };
	bool cookie = refresh_cookie_wanted(rq);
	/* The page, which wants the cookie, reads JSON in any case */
	bool bare = grant_is_bare(
		rq, !cookie && auth_settings_bare_login(&a->settings));
	bool refresh = cookie || !bare;
	char text[REFRESH_LEN + 1];
	struct grant g = { .user = u, .cookie = cookie, .bare = bare };
	struct session s;
	enum err e = open_session(a, rq, u, &s, &rs->why);

	if (e == ERR_OK && refresh)
		e = refresh_first(a->service->db, &rules, s.id, s.expires_at,
				  rq->now, text, &g.refresh_ends, &rs->why);
	if (e != ERR_OK)
		return e;
	g.session = s.id;
	g.session_ends = s.expires_at;
	g.refresh = refresh ? text : NULL;
	e = grant_answer(a, rq, &g, rs);
	sodium_memzero(text, sizeof(text));
	return e;
}

/* Malformed credentials are answered like wrong ones: see basic_credentials.h
 */
static enum err refuse_malformed(struct auth *a, const struct request *rq,
				 struct response *rs, enum err e)
{
	if (e == ERR_NO_CREDENTIALS)
		return e;
	record_login(a, rq, 0, "", "malformed", false);
	if (e == ERR_TOO_LARGE)
		return response_explain(rs, ERR_CREDENTIALS,
					"The email is longer than %d bytes, or "
					"the password is longer than %d.",
					BASIC_USER_MAX, BASIC_PASSWORD_MAX);
	return response_explain(rs, ERR_CREDENTIALS,
				"The Authorization header must be \"Basic\" "
				"and the base64 of email, colon and password, "
				"without control characters.");
}

/* The password, then the one-time code */
static enum err check_credentials(struct auth *a, struct request *rq,
				  struct login *l, struct response *rs)
{
	struct throttle_ticket ticket;
	enum err e =
		password_attempt_begin(a, rq, span_of(l->c.user), &ticket, rs);

	l->outcome = e == ERR_LIMITED ? "too-many-attempts" : "unavailable";
	if (e != ERR_OK)
		return e;
	e = find_user(a, rq, password_attempt_queue(&ticket), l, &rs->why);
	if (e == ERR_OK) {
		e = otp_check(a->service->db, l->u.id,
			      request_header(rq, "X-OTP"), rq->now, &rs->why);
		if (e != ERR_OK)
			l->outcome = e == ERR_OTP_REQUIRED ? "otp-required"
				     : e == ERR_OTP	   ? "invalid-otp"
							   : "unavailable";
	}
	password_attempt_end(a, rq, &ticket, e);
	return e;
}

enum err handle_login(void *app, struct request *rq, struct response *rs)
{
	struct auth *a = app;
	struct login l = { .u = { .id = 0 } };
	enum err e = basic_credentials_parse(request_authorization(rq), &l.c);

	if (e != ERR_OK)
		return refuse_malformed(a, rq, rs, e);
	e = check_credentials(a, rq, &l, rs);
	record_login(a, rq, l.u.id, l.u.id != 0 ? l.u.email : l.c.user,
		     l.outcome, e != ERR_LIMITED);
	if (e == ERR_OK)
		rehash(a, rq, &l);
	basic_credentials_wipe(&l.c);
	return e == ERR_OK ? answer_grant(a, rq, &l.u, rs) : e;
}
