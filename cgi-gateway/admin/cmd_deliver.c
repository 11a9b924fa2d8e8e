/* deliver: post events to the webhook targets in EVENT_URLS.
 *
 * Everything runs in one thread: libcurl makes the requests, and the database
 * is queried in between. No transaction is open during a request; a claim in
 * the row keeps other processes from sending the same event (outbox.h). */
#include "cgi-gateway/admin/commands.h"
#include "cgi-gateway/admin/gateway_admin.h"
#include "cgi-gateway/events/delivery_queue.h"
#include "common/admin/exit_status.h"
#include "common/admin/failure.h"
#include "common/admin/options.h"
#include "common/admin/output.h"
#include "common/log/log.h"

#include <signal.h>
#include <string.h>
#include <time.h>

enum {
	POLL_MS = 1000,	 /* the longest time between two reads of the table */
	RETRY_MS = 5000, /* the same while the database is unavailable */
};

struct deliver {
	struct delivery_shared shared;
	struct delivery_queue *queues; /* one for each target */
	size_t count;
	struct outbox_total row, *totals; /* in the order of the queues */
	struct errmsg why;
};

static volatile sig_atomic_t signalled;

static void remember_signal(int sig)
{
	(void)sig;
	signalled = 1;
}

static void catch_signals(void)
{
	struct sigaction a = { .sa_handler = remember_signal };

	(void)sigaction(SIGTERM, &a, NULL);
	(void)sigaction(SIGINT, &a, NULL);
}

static int64_t clock_now(void)
{
	return (int64_t)time(NULL);
}

/* --- sending ------------------------------------------------------------- */

static size_t under_way(const struct deliver *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->count; i++)
		n += d->queues[i].busy;
	return n;
}

static enum err send_all(struct deliver *d, int64_t due)
{
	int64_t now = clock_now();
	enum err e = ERR_OK;

	for (size_t i = 0; i < d->count && e == ERR_OK; i++)
		e = delivery_queue_send(&d->queues[i], &d->shared, due, now,
					&d->why);
	return e;
}

/* Wait for responses and record them. A failure to record one does not stop the
 * others; returns the first error. */
static enum err finish_all(struct deliver *d, int ms)
{
	struct http_post_response response;
	enum err e = ERR_OK, first = ERR_OK;

	http_post_wait(d->shared.http, ms);
	while (http_post_next(d->shared.http, &response)) {
		e = delivery_queue_finish(&d->shared, &response, clock_now(),
					  &d->why);
		if (first == ERR_OK)
			first = e;
	}
	return first;
}

/* Try each event that is due now once. A failed event becomes due later, so
 * this terminates. */
static enum err deliver_once(struct deliver *d)
{
	const int64_t due = clock_now();
	enum err e = ERR_OK;

	while (e == ERR_OK) {
		if (!signalled)
			e = send_all(d, due);
		if (e != ERR_OK || under_way(d) == 0)
			break;
		e = finish_all(d, POLL_MS);
	}
	return e;
}

/* Deliver until a signal arrives, then wait for the requests in progress. Retry
 * while the database is unavailable; claims expire in the meantime. */
static enum err deliver_and_follow(struct deliver *d)
{
	bool unavailable = false;
	enum err e = ERR_OK;

	while (!signalled || under_way(d) > 0) {
		e = signalled ? ERR_OK : send_all(d, clock_now());
		if (e == ERR_OK)
			e = finish_all(d, POLL_MS);
		if (e != ERR_OK && e != ERR_UNAVAILABLE && e != ERR_OVERLOADED)
			return e;
		if (e != ERR_OK && !unavailable)
			log_event(LOG_ERROR, "database", d->why.text);
		if (e == ERR_OK && unavailable)
			log_event(LOG_INFO, "database", "back");
		unavailable = e != ERR_OK;
		if (unavailable && !signalled)
			(void)!finish_all(d, RETRY_MS);
	}
	return ERR_OK;
}

/* --- the report ---------------------------------------------------------- */

static enum err add_total(void *arg)
{
	struct deliver *d = arg;

	for (size_t i = 0; i < d->count; i++)
		if (strcmp(d->queues[i].url, d->row.target) == 0)
			d->totals[i] = d->row;
	return ERR_OK;
}

static void print_text(const struct deliver *d)
{
	for (size_t i = 0; i < d->count; i++) {
		const struct delivery_queue *q = &d->queues[i];

		(void)printf("%s: %lld delivered, %lld failed; %lld waiting, "
			     "%lld dead\n",
			     q->url, (long long)q->delivered,
			     (long long)q->failed,
			     (long long)d->totals[i].waiting,
			     (long long)d->totals[i].dead);
	}
}

static void print_json(const struct deliver *d)
{
	struct json_object *o = output_object(), *list = output_array();

	for (size_t i = 0; i < d->count; i++) {
		const struct delivery_queue *q = &d->queues[i];
		struct json_object *r = output_object();

		json_set_str(r, "url", q->url);
		json_set_int(r, "delivered", q->delivered);
		json_set_int(r, "failed", q->failed);
		json_set_int(r, "died", q->given_up);
		json_set_int(r, "waiting", d->totals[i].waiting);
		json_set_int(r, "dead", d->totals[i].dead);
		(void)json_object_array_add(list, r);
	}
	(void)json_object_object_add(o, "receivers", list);
	output_json(o);
}

/* Dead events are a negative result, except with --follow: a service that was
 * stopped by a signal has done what it should. */
static int report_result(struct deliver *d, bool json)
{
	enum err e =
		outbox_totals(d->shared.db, &d->row, add_total, d, &d->why);
	int status = 0;

	if (e != ERR_OK)
		return admin_fail_db(e, &d->why);
	if (json)
		print_json(d);
	else
		print_text(d);
	for (size_t i = 0; i < d->count; i++)
		if (d->totals[i].dead > 0 && !d->shared.follow)
			status = EXIT_NEGATIVE;
	return status;
}

/* --- the command --------------------------------------------------------- */

static enum err deliver_open(struct deliver *d, const struct app *app,
			     bool follow)
{
	enum err e;

	*d = (struct deliver) {
		.shared = { .db = app->db,
			    .timeout = app->event_timeout,
			    .days = app->event_days,
			    .follow = follow },
		.count = app->webhook_targets.count,
	};
	d->queues = calloc(d->count, sizeof(*d->queues));
	d->totals = calloc(d->count, sizeof(*d->totals));
	if (d->queues == NULL || d->totals == NULL)
		return err_set(&d->why, ERR_MEMORY, "out of memory");
	for (size_t i = 0; i < d->count; i++)
		d->queues[i].url = app->webhook_targets.url[i];
	e = webhook_keys_read(span_of(app->event_secret), &d->shared.keys,
			      &d->why);
	if (e == ERR_OK)
		e = http_post_open(app->event_timeout, app->event_ca,
				   &d->shared.http);
	return e;
}

static void deliver_close(struct deliver *d)
{
	http_post_close(d->shared.http);
	webhook_keys_release(&d->shared.keys);
	free(d->queues);
	free(d->totals);
}

static int deliver(const struct app *app, bool follow, bool json)
{
	struct deliver d;
	int status;
	enum err e;

	if (app->webhook_targets.count == 0)
		return admin_fail(EX_CONFIG,
				  "EVENT_URLS is not set; set it to the URLs "
				  "of webhook targets");
	log_setup("gateway-admin", LOG_INFO);
	catch_signals();
	e = deliver_open(&d, app, follow);
	if (e == ERR_OK)
		e = follow ? deliver_and_follow(&d) : deliver_once(&d);
	status = e == ERR_OK ? report_result(&d, json)
			     : admin_fail_db(e, &d.why);
	deliver_close(&d);
	return status;
}

int cmd_deliver(int argc, char **argv)
{
	bool json = false, follow = false;
	const struct option_place options[] = {
		{ .name = "follow", .flag = &follow },
		{ .name = "json", .flag = &json },
		{ .name = NULL },
	};
	struct gateway_admin g;
	int status = options_read(argc, argv, options, NULL, NULL);

	if (status == 0)
		status = gateway_admin_open(&g, NEEDS_DATABASE);
	if (status != 0)
		return status;
	status = deliver(&g.app, follow, json);
	gateway_admin_close(&g);
	return status;
}
