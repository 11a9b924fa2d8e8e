/* POST /login: an email and a password for a token.
 *
 * Whatever is wrong with the two, the answer is the same after the same time:
 * one query and one check of a hash. The log alone knows which it was.
 */
#include "auth.h"
#include "basic_auth.h"
#include "field.h"
#include "log.h"
#include "token.h"
#include "users.h"

static void log_login(const struct request *rq, enum log_level level,
		      const char *outcome, const char *email)
{
	struct log_line l;

	log_begin(&l, level, "login");
	log_str(&l, "request_id", rq->id);
	log_text(&l, "client", request_variable(rq, "REMOTE_ADDR"));
	log_str(&l, "user", email);
	log_str(&l, "outcome", outcome);
	log_end(&l);
}

static void log_plaintext(const struct request *rq, const struct user *u)
{
	struct log_line l;

	log_begin(&l, LOG_WARN, "plaintext-password");
	log_str(&l, "request_id", rq->id);
	log_int(&l, "user_id", (int64_t)u->id);
	log_str(&l, "detail",
		"this row of the table user holds its password in plain text, "
		"so its user cannot log in");
	log_str(&l, "remedy", "auth-admin user import-plaintext");
	log_end(&l);
}

/* The user of these credentials. *outcome says what happened, for the log. */
static enum err find_user(struct auth *a, const struct request *rq,
			  const struct credentials *c, struct user *u,
			  const char **outcome, struct errmsg *why)
{
	enum err e = users_by_email(a->service->db, span_of(c->user), u, why);
	bool known = e == ERR_OK;
	bool usable = known && u->disabled_at == USER_ENABLED;

	*outcome = "unavailable";
	if (!known && e != ERR_NOT_FOUND)
		return e;
	e = password_check(&a->passwords, usable ? u->password : NULL,
			   c->password);
	if (e == ERR_UNAVAILABLE)
		return err_set(why, e, "no room to check a password");
	if (e == ERR_OK)
		*outcome = "ok";
	else if (!known)
		*outcome = "unknown-user";
	else if (!usable)
		*outcome = "disabled";
	else if (e == ERR_INVALID)
		*outcome = "unusable-password";
	else
		*outcome = "wrong-password";
	if (e == ERR_INVALID && password_kind(u->password) == PASSWORD_PLAIN)
		log_plaintext(rq, u);
	return e == ERR_OK ? ERR_OK : ERR_CREDENTIALS;
}

/* Now that the password is known, store it in today's form. The login does not
 * depend on it: the next one tries again. */
static void rehash(struct auth *a, const struct request *rq,
		   const struct user *u, const char *password)
{
	char hash[PASSWORD_HASH_MAX + 1];
	struct errmsg m = { "" };
	struct log_line l;
	enum err e;

	if (!password_needs_rehash(&a->passwords, u->password))
		return;
	e = password_hash(&a->passwords, password, hash);
	if (e == ERR_OK)
		e = users_rehash(a->service->db, u->id, u->password, hash, &m);
	/* Not found: somebody changed it meanwhile, which is as good */
	if (e == ERR_NOT_FOUND)
		return;
	log_begin(&l, e == ERR_OK ? LOG_INFO : LOG_WARN, "rehash");
	log_str(&l, "request_id", rq->id);
	log_int(&l, "user_id", (int64_t)u->id);
	log_str(&l, "outcome", e == ERR_OK ? "ok" : err_text(e));
	if (m.text[0] != '\0')
		log_str(&l, "why", m.text);
	log_end(&l);
}

static enum err answer_json(struct response *rs, struct span token,
			    const struct claims *c)
{
	struct json_object *o = json_object_new_object();
	enum err e;

	if (o == NULL)
		return ERR_MEMORY;
	json_set_span(o, "access_token", token);
	json_set_str(o, "token_type", "Bearer");
	json_set_int(o, "expires_in", c->expires_at - c->issued_at);
	json_set_str(o, "scope", c->scope);
	e = response_json(rs, 200, o);
	json_object_put(o);
	return e;
}

static enum err issue(struct auth *a, const struct request *rq,
		      const struct user *u, struct response *rs)
{
	struct claims c;
	struct buf token;
	enum err e = token_claims(u, &a->service->rules, rq->now,
				  a->settings.token_life, &c);

	if (e != ERR_OK)
		return e;
	buf_init(&token, JWT_TOKEN_MAX);
	e = jwt_sign(&c, &a->service->ring, &token);
	if (e ==
	    ERR_TOO_LARGE) /* by the row and the settings, not the client */
		e = err_set(&rs->why, ERR_CONFIG, "the token is too long");
	if (e == ERR_OK &&
	    field_accept_prefers(request_header(rq, "Accept"),
				 SPAN("text/plain"), SPAN("application/json")))
		e = response_body(rs, 200, "text/plain; charset=utf-8",
				  buf_span(&token));
	else if (e == ERR_OK)
		e = answer_json(rs, buf_span(&token), &c);
	buf_release(&token);
	return e;
}

/* basic_auth.h says why what is malformed is answered like what is wrong */
static enum err explain(const struct request *rq, struct response *rs,
			enum err e)
{
	if (e == ERR_NO_CREDENTIALS)
		return e;
	log_login(rq, LOG_INFO, "malformed", "");
	if (e == ERR_TOO_LARGE)
		return response_explain(rs, ERR_CREDENTIALS,
					"The email is longer than %d bytes or "
					"the password longer than %d.",
					BASIC_USER_MAX, BASIC_PASSWORD_MAX);
	return response_explain(rs, ERR_CREDENTIALS,
				"The Authorization header must be \"Basic\" "
				"and the base64 of email, colon and password "
				"in UTF-8.");
}

enum err handle_login(void *app, struct request *rq, struct response *rs)
{
	struct auth *a = app;
	struct credentials c;
	const char *outcome;
	struct user u;
	enum err e = basic_auth_parse(request_authorization(rq), &c);

	if (e != ERR_OK)
		return explain(rq, rs, e);
	e = find_user(a, rq, &c, &u, &outcome, &rs->why);
	log_login(rq, LOG_INFO, outcome, c.user);
	if (e == ERR_OK)
		rehash(a, rq, &u, c.password);
	credentials_wipe(&c);
	return e == ERR_OK ? issue(a, rq, &u, rs) : e;
}
