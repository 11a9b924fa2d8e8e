#include "attempt.h"

#include "client.h"
#include "log.h"

enum err attempt_begin(struct auth *a, const struct request *rq,
		       struct span email, struct throttle_ticket *out,
		       struct response *rs)
{
	struct client client;

	client_of(rq, a->service->settings.trusted_proxies, &client);
	return throttle_enter(a->service->db, &a->settings.throttle, email,
			      &client, rq->now, out, &rs->retry_after,
			      &rs->why);
}

void attempt_end(struct auth *a, const struct request *rq,
		 const struct throttle_ticket *t, enum err outcome)
{
	struct errmsg m = { "" };
	struct log_line l;
	enum err e = throttle_leave(a->service->db, &a->settings.throttle, t,
				    outcome, rq->now, &m);

	if (e == ERR_OK)
		return;
	log_begin(&l, LOG_WARN, "throttle");
	log_str(&l, "request_id", rq->id);
	log_str(&l, "outcome", err_text(e));
	log_str(&l, "why", m.text);
	log_end(&l);
}
