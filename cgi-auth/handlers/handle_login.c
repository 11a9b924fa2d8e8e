/* POST /login: email and password for a token.
 *
 * Whichever of the two is wrong, the answer is the same after the same time: the
 * same statements and one check of a hash. Only the log says which it was.
 */
#include "cgi-auth/app/audit_note.h"
#include "cgi-auth/app/grant.h"
#include "cgi-auth/app/login.h"
#include "cgi-auth/app/password_attempt.h"
#include "cgi-auth/app/refresh_cookie.h"
#include "common/log/log.h"

#include <sodium.h>

/* `outcome` is a word of metrics.h. The row of the audit is login.h's; an attempt
 * that throttle.h refused and one without an email get none: anybody can send
 * floods of them. */
static void record_login(struct auth *a, const struct request *rq,
			 uint64_t user_id, const char *email,
			 const char *outcome)
{
	metrics_login(a->service->metrics, outcome);
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

/* *renew: the password's hash must be stored anew */
static enum err check_password(struct auth *a, const struct request *rq,
			       struct login *l, bool *renew, struct errmsg *why)
{
	const struct user *u = &l->facts.user;
	bool known = u->id != 0;
	bool usable = known && u->disabled_at == USER_ENABLED;
	enum err e;

	e = password_check(&a->passwords, password_attempt_queue(&l->ticket),
			   usable ? u->password : NULL, l->c.password, renew);
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
	const struct user *u = &l->facts.user;
	char hash[PASSWORD_HASH_MAX + 1];
	struct errmsg cause = { "" };
	struct log_line line;
	enum err e;

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

/* Malformed credentials are answered like wrong ones: see basic_credentials.h
 */
static enum err refuse_malformed(struct auth *a, const struct request *rq,
				 struct response *rs, enum err e)
{
	if (e == ERR_NO_CREDENTIALS)
		return e;
	record_login(a, rq, 0, "", "malformed");
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
				  struct login *l, bool *renew,
				  struct response *rs)
{
	enum err e = check_password(a, rq, l, renew, &rs->why);

	if (e != ERR_OK)
		return e;
	e = otp_judge(&l->facts.factor, request_header(rq, "X-OTP"), rq->now,
		      &l->use);
	if (e != ERR_OK)
		l->outcome = e == ERR_OTP_REQUIRED ? "otp-required"
			     : e == ERR_OTP	   ? "invalid-otp"
						   : "unavailable";
	return e;
}

struct answer_form {
	bool cookie, bare, refresh;
};

static struct answer_form form_of(const struct auth *a,
				  const struct request *rq)
{
	bool cookie = refresh_cookie_wanted(rq);
	/* The page, which wants the cookie, reads JSON in any case */
	bool bare = grant_is_bare(
		rq, !cookie && auth_settings_bare_login(&a->settings));

	return (struct answer_form) { cookie, bare, cookie || !bare };
}

/* The whole attempt */
static enum err log_in(struct auth *a, struct request *rq, struct login *l,
		       struct answer_form *form, struct login_session *out,
		       struct response *rs)
{
	bool renew = false;
	enum err e = login_begin(a, rq, l, &rs->retry_after, &rs->why);

	if (e != ERR_OK)
		return e;
	e = check_credentials(a, rq, l, &renew, rs);
	if (e == ERR_OK) {
		*form = form_of(a, rq);
		e = login_open_session(a, rq, l, form->refresh, out, &rs->why);
	}
	if (e != ERR_OK)
		login_fail(a, rq, l, e);
	else if (renew)
		rehash(a, rq, l);
	return e == ERR_NOT_FOUND ? ERR_CREDENTIALS : e;
}

static enum err answer_session(struct auth *a, struct request *rq,
			       const struct login *l,
			       const struct login_session *s,
			       const struct answer_form *form,
			       struct response *rs)
{
	const struct grant g = {
		.user = &l->facts.user,
		.session = s->session.id,
		.session_ends = s->session.expires_at,
		.refresh = form->refresh ? s->refresh : NULL,
		.refresh_ends = s->refresh_ends,
		.cookie = form->cookie,
		.bare = form->bare,
	};

	return grant_answer(a, rq, &g, rs);
}

enum err handle_login(void *app, struct request *rq, struct response *rs)
{
	struct auth *a = app;
	struct answer_form form = { .cookie = false };
	struct login_session s = { .refresh = "" };
	struct login l = { .outcome = "unavailable" };
	const struct user *u = &l.facts.user;
	enum err e = basic_credentials_parse(request_authorization(rq), &l.c);

	if (e != ERR_OK)
		return refuse_malformed(a, rq, rs, e);
	e = log_in(a, rq, &l, &form, &s, rs);
	record_login(a, rq, u->id, u->id != 0 ? u->email : l.c.user, l.outcome);
	basic_credentials_wipe(&l.c);
	if (e == ERR_OK)
		e = answer_session(a, rq, &l, &s, &form, rs);
	sodium_memzero(s.refresh, sizeof(s.refresh));
	login_facts_wipe(&l.facts);
	return e;
}
