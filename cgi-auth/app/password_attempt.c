#include "cgi-auth/app/password_attempt.h"

#include "common/http/client.h"
#include "common/log/log.h"

enum err password_attempt_begin(struct auth *a, const struct request *rq,
				struct span email, struct throttle_ticket *out,
				struct response *rs)
{
	struct client client;

	client_of(rq, a->service->settings.trusted_proxies, &client);
	return throttle_enter(a->service->db, &a->settings.throttle, email,
			      &client, rq->now, out, &rs->retry_after,
			      &rs->why);
}

enum fifo_queue_name password_attempt_queue(const struct throttle_ticket *t)
{
	return t->last_seen > 0 ? FIFO_KNOWN : FIFO_ANYBODY;
}

void password_attempt_end(struct auth *a, const struct request *rq,
			  const struct throttle_ticket *t, enum err outcome)
{
	struct errmsg cause = { "" };
	struct log_line l;
	enum err e = throttle_leave(a->service->db, &a->settings.throttle, t,
				    outcome, rq->now, &cause);

	if (e == ERR_OK)
		return;
	log_begin(&l, LOG_WARN, "throttle");
	log_str(&l, "request_id", rq->id);
	log_str(&l, "outcome", err_text(e));
	log_str(&l, "why", cause.text);
	log_end(&l);
}
