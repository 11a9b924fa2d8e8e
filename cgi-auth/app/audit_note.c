#include "cgi-auth/app/audit_note.h"

#include "common/db/db_known.h"
#include "common/http/client.h"
#include "common/log/log.h"

static void client_address(const struct auth *a, const struct request *rq,
			   struct client *out)
{
	client_of(rq, a->service->settings.trusted_proxies, out);
}

static void log_entry(const struct audit_entry *e, const char *session)
{
	struct log_line l;

	log_begin(&l, LOG_INFO, "audit");
	log_str(&l, "what", e->event);
	log_str(&l, "outcome", e->detail);
	log_str(&l, "request_id", e->request_id);
	log_str(&l, "client", e->address);
	if (e->user_id != 0)
		log_int(&l, "user_id", (int64_t)e->user_id);
	log_str(&l, "user", e->email);
	if (session[0] != '\0')
		log_str(&l, "session", session);
	log_end(&l);
}

static void log_failure(const struct request *rq, enum err e,
			const struct errmsg *cause)
{
	struct log_line l;

	if (e == ERR_OK)
		return;
	log_begin(&l, LOG_ERROR, "audit-failed");
	log_str(&l, "request_id", rq->id);
	log_str(&l, "error", err_text(e));
	log_str(&l, "why", cause->text);
	log_end(&l);
}

static void store_entry(struct auth *a, const struct request *rq,
			const struct audit_entry *entry)
{
	struct errmsg cause = { "" };

	log_failure(rq,
		    audit_add(a->service->db, entry, rq->now,
			      a->settings.audit_days, &cause),
		    &cause);
}

enum err audit_note_within(struct auth *a, const struct request *rq,
			   struct db_conn *c, const struct audit_entry *entry,
			   struct errmsg *why)
{
	struct errmsg cause = { "" };
	struct audit_entry full = *entry;
	struct client client;
	enum err e;

	client_address(a, rq, &client);
	full.address = client.address;
	full.request_id = rq->id;
	e = audit_add_within(c, &full, rq->now, &cause);
	log_failure(rq, e, &cause);
	/* After a deadlock the server has undone the whole transaction; the
	 * other errors concern this statement alone */
	if (e == ERR_UNAVAILABLE || e == ERR_OVERLOADED)
		return err_set(why, e, "%s", cause.text);
	return ERR_OK;
}

void audit_note_sweep(struct auth *a, const struct request *rq)
{
	struct errmsg cause = { "" };

	log_failure(rq,
		    audit_sweep(a->service->db, rq->now, a->settings.audit_days,
				&cause),
		    &cause);
}

enum err audit_note_change(struct auth *a, const struct request *rq,
			   const char *event, const char *detail,
			   audited_fn *change, void *arg, struct errmsg *why)
{
	const struct audit_entry entry = {
		.event = event,
		.user_id = rq->claims.user_id,
		.email = rq->claims.email,
		.detail = detail,
	};
	struct db_conn *c;
	enum err e = db_begin_change(a->service->db, &c, why);

	if (e != ERR_OK)
		return e;
	e = change(c, arg, why);
	if (e == ERR_OK)
		e = audit_note_within(a, rq, c, &entry, why);
	if (e == ERR_OK)
		e = db_commit(c, why);
	else
		db_rollback(c);
	if (e != ERR_OK)
		return e;
	audit_note_line(a, rq, event, entry.user_id, entry.email, detail);
	audit_note_sweep(a, rq);
	return ERR_OK;
}

void audit_note(struct auth *a, const struct request *rq, const char *event,
		uint64_t user_id, const char *email, const char *detail)
{
	struct client c;
	const struct audit_entry entry = { event,     user_id, email,
					   c.address, rq->id,  detail };

	client_address(a, rq, &c);
	log_entry(&entry, rq->bearer_id.session);
	store_entry(a, rq, &entry);
}

void audit_note_caller(struct auth *a, const struct request *rq,
		       const char *event, const char *detail)
{
	audit_note(a, rq, event, rq->claims.user_id, rq->claims.email, detail);
}

void audit_note_line(struct auth *a, const struct request *rq,
		     const char *event, uint64_t user_id, const char *email,
		     const char *detail)
{
	struct client c;
	const struct audit_entry entry = { event,     user_id, email,
					   c.address, rq->id,  detail };

	client_address(a, rq, &c);
	log_entry(&entry, rq->bearer_id.session);
}
