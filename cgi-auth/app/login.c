#include "cgi-auth/app/login.h"

#include "cgi-auth/app/audit_note.h"
#include "common/db/db_known.h"
#include "common/http/client.h"
#include "common/log/log.h"

#include <sodium.h>

enum {
	/* Logins of a user from which on the oldest may have to end: more than
	 * can come while one password is checked */
	TRIM_FROM = SESSION_LOGINS_MAX / 2,
};

static void log_throttle(const struct request *rq, enum err e,
			 const struct errmsg *cause)
{
	struct log_line l;

	if (e == ERR_OK)
		return;
	log_begin(&l, LOG_WARN, "throttle");
	log_str(&l, "request_id", rq->id);
	log_str(&l, "outcome", err_text(e));
	log_str(&l, "why", cause->text);
	log_end(&l);
}

enum err login_begin(struct auth *a, const struct request *rq, struct login *l,
		     int64_t *retry_after, struct errmsg *why)
{
	struct login_facts *f = &l->facts;
	struct client client;
	enum err e;

	client_of(rq, a->service->settings.trusted_proxies, &client);
	e = login_read(a->service->db, span_of(l->c.user), &client, rq->now, f,
		       why);
	if (e == ERR_OK)
		e = throttle_enter_seen(a->service->db, &a->settings.throttle,
					&f->who, &f->seen, rq->now, &l->ticket,
					retry_after, why);
	l->outcome = e == ERR_LIMITED ? "too-many-attempts" : "unavailable";
	return e;
}

static struct audit_entry entry_of(const struct login *l)
{
	const struct user *u = &l->facts.user;

	return (struct audit_entry) {
		.event = "login",
		.user_id = u->id,
		.email = u->id != 0 ? u->email : l->c.user,
		.detail = l->outcome,
	};
}

/* The audit's row, then the counts: their rows are locked for the shortest time.
 * Rows of the throttle that were deleted meanwhile need no change. */
static enum err record_within(struct auth *a, const struct request *rq,
			      struct db_conn *c, const struct login *l,
			      enum err outcome, struct errmsg *why)
{
	const struct audit_entry entry = entry_of(l);
	enum err e = audit_note_within(a, rq, c, &entry, why);

	if (e == ERR_OK)
		e = throttle_leave_within(c, &a->settings.throttle, &l->ticket,
					  outcome, rq->now, why);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static void sweep(struct auth *a, const struct request *rq,
		  const struct login *l, enum err outcome)
{
	struct errmsg cause = { "" };

	log_throttle(rq,
		     throttle_left(a->service->db, &l->ticket, outcome, rq->now,
				   &cause),
		     &cause);
	audit_note_sweep(a, rq);
}

static void fill_session(struct auth *a, const struct request *rq,
			 const struct user *u, struct session *s)
{
	struct client client;

	client_of(rq, a->service->settings.trusted_proxies, &client);
	*s = (struct session) {
		.user_id = u->id,
		.created_at = rq->now,
		.expires_at = rq->now + a->settings.session_life,
	};
	ident_random(s->id);
	(void)snprintf(s->scope, sizeof(s->scope), "%s", u->scope);
	(void)snprintf(s->address, sizeof(s->address), "%s", client.address);
}

/* The session first: a change of the user, too, locks the user's row first, then
 * the rows of sessions and of the second factor */
static enum err open_within(struct auth *a, const struct request *rq,
			    struct db_conn *c, const struct login *l,
			    bool refresh, struct login_session *out,
			    struct errmsg *why)
{
	const struct refresh_rules rules = { a->settings.refresh_life,
					     a->settings.refresh_grace };
	const struct user *u = &l->facts.user;
	const struct session_basis as_read = {
		.password_changed_at = u->password_changed_at,
		.email = u->email,
		.admin = u->admin,
		.has_factor = l->facts.factor.active,
	};
	struct session *s = &out->session;
	enum err e = sessions_add_login(c, s, &as_read, why);

	if (e == ERR_OK)
		e = otp_use_within(c, u->id, &l->facts.factor, &l->use, why);
	if (e == ERR_OK && refresh)
		e = refresh_first(c, &rules, s->id, s->expires_at, rq->now,
				  out->refresh, &out->refresh_ends, why);
	if (e == ERR_OK && l->facts.logins >= TRIM_FROM)
		e = sessions_trim_logins(c, u->id, s->id, rq->now, why);
	if (e == ERR_OK)
		e = record_within(a, rq, c, l, ERR_OK, why);
	return e;
}

enum err login_open_session(struct auth *a, const struct request *rq,
			    struct login *l, bool refresh,
			    struct login_session *out, struct errmsg *why)
{
	struct db_conn *c;
	enum err e;

	fill_session(a, rq, &l->facts.user, &out->session);
	l->outcome = "ok";
	e = db_begin_change(a->service->db, &c, why);
	if (e == ERR_OK) {
		e = open_within(a, rq, c, l, refresh, out, why);
		if (e == ERR_OK)
			e = db_commit(c, why);
		else
			db_rollback(c);
	}
	if (e == ERR_OK) {
		sweep(a, rq, l, e);
		return e;
	}
	sodium_memzero(out->refresh, sizeof(out->refresh));
	l->outcome = e == ERR_OTP	  ? "invalid-otp"
		     : e == ERR_NOT_FOUND ? "changed-meanwhile"
					  : "unavailable";
	return e;
}

void login_fail(struct auth *a, const struct request *rq, struct login *l,
		enum err e)
{
	struct errmsg cause = { "" };
	struct db_conn *c;
	enum err failed = db_begin_change(a->service->db, &c, &cause);

	if (failed == ERR_OK) {
		failed = record_within(a, rq, c, l, e, &cause);
		if (failed == ERR_OK)
			failed = db_commit(c, &cause);
		else
			db_rollback(c);
	}
	if (failed == ERR_OK)
		sweep(a, rq, l, e);
	else
		log_throttle(rq, failed, &cause);
}
