#include "cgi-auth/app/audit_note.h"

#include "cgi-auth/tables/audit.h"
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

static void store_entry(struct auth *a, const struct request *rq,
			const struct audit_entry *entry)
{
	struct errmsg cause = { "" };
	struct log_line l;
	enum err e = audit_add(a->service->db, entry, rq->now,
			       a->settings.audit_days, &cause);

	if (e == ERR_OK)
		return;
	log_begin(&l, LOG_ERROR, "audit-failed");
	log_str(&l, "request_id", rq->id);
	log_str(&l, "error", err_text(e));
	log_str(&l, "why", cause.text);
	log_end(&l);
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
