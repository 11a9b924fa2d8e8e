/* gateway-admin deliver: tell the services of EVENT_URLS what happened.
 *
 * All of it is one thread: libcurl keeps the requests going, and in between the
 * database is asked. No transaction is open while a request is under way; a
 * claim in the row keeps other processes off (events.h). */
#include "cgi-gateway/admin/commands.h"

#include "cgi-gateway/events/delivery_queue.h"
#include "common/codec/json.h"
#include "common/log/log.h"

#include <signal.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

enum {
	ROUND_MS = 1000, /* between two looks at the table, at the most */
	AWAY_MS = 5000,	 /* between two tries to reach the database */
};

struct delivering {
	struct sender sender;
	struct delivery_queue *lanes; /* one for each of app.webhook_targets */
	size_t count;
	struct outbox_total row, *totals; /* what is owed, lane by lane */
	struct errmsg why;
};

static volatile sig_atomic_t told_to_end;

static void note_end(int sig)
{
	(void)sig;
	told_to_end = 1;
}

static void set_signals(void)
{
	struct sigaction end = { .sa_handler = note_end };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	(void)sigaction(SIGTERM, &end, NULL);
	(void)sigaction(SIGINT, &end, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
}

static int64_t clock_now(void)
{
	return (int64_t)time(NULL);
}

/* --- going on ------------------------------------------------------------ */

static size_t under_way(const struct delivering *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->count; i++)
		n += d->lanes[i].busy;
	return n;
}

static enum err fill_all(struct delivering *d, int64_t due)
{
	int64_t now = clock_now();
	enum err e = ERR_OK;

	for (size_t i = 0; i < d->count && e == ERR_OK; i++)
		e = delivery_queue_fill(&d->lanes[i], &d->sender, due, now,
					&d->why);
	return e;
}

static enum err settle_all(struct delivering *d, int ms)
{
	struct http_response answer;
	enum err e = ERR_OK, first = ERR_OK;

	http_posts_wait(d->sender.posts, ms);
	/* Each is settled, whatever becomes of another */
	while (http_posts_ended(d->sender.posts, &answer)) {
		e = delivery_queue_settle(&d->sender, &answer, clock_now(),
					  &d->why);
		if (first == ERR_OK)
			first = e;
	}
	return first;
}

/* Each event that is due by now is tried once. What fails is due later, so this
 * ends. */
static enum err pass(struct delivering *d)
{
	const int64_t due = clock_now();
	enum err e = ERR_OK;

	while (e == ERR_OK) {
		if (!told_to_end)
			e = fill_all(d, due);
		if (e != ERR_OK || under_way(d) == 0)
			break;
		e = settle_all(d, ROUND_MS);
	}
	return e;
}

/* Until a signal comes; then what is under way is waited for. A database that
 * is away is waited for, too: its claims end by themselves. */
static enum err follow(struct delivering *d)
{
	bool away = false;
	enum err e = ERR_OK;

	while (!told_to_end || under_way(d) > 0) {
		e = told_to_end ? ERR_OK : fill_all(d, clock_now());
		if (e == ERR_OK)
			e = settle_all(d, ROUND_MS);
		if (e != ERR_OK && e != ERR_UNAVAILABLE)
			return e;
		if (e != ERR_OK && !away)
			log_event(LOG_ERROR, "database", d->why.text);
		if (e == ERR_OK && away)
			log_event(LOG_INFO, "database", "back");
		away = e != ERR_OK;
		if (away && !told_to_end)
			(void)!settle_all(d, AWAY_MS);
	}
	return ERR_OK;
}

/* --- saying what was done ------------------------------------------------ */

static enum err note_total(void *arg)
{
	struct delivering *d = arg;

	for (size_t i = 0; i < d->count; i++)
		if (strcmp(d->lanes[i].url, d->row.receiver) == 0)
			d->totals[i] = d->row;
	return ERR_OK;
}

static void print_text(const struct delivering *d)
{
	for (size_t i = 0; i < d->count; i++) {
		const struct delivery_queue *l = &d->lanes[i];

		(void)printf("%s: %lld delivered, %lld failed; %lld wait, "
			     "%lld are dead\n",
			     l->url, (long long)l->delivered,
			     (long long)l->failed,
			     (long long)d->totals[i].waiting,
			     (long long)d->totals[i].dead);
	}
}

static void print_json(const struct delivering *d)
{
	struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < d->count; i++) {
		const struct delivery_queue *l = &d->lanes[i];
		struct json_object *r = json_object_new_object();

		json_set_str(r, "url", l->url);
		json_set_int(r, "delivered", l->delivered);
		json_set_int(r, "failed", l->failed);
		json_set_int(r, "died", l->died);
		json_set_int(r, "waiting", d->totals[i].waiting);
		json_set_int(r, "dead", d->totals[i].dead);
		(void)json_object_array_add(list, r);
	}
	(void)json_object_object_add(o, "receivers", list);
	(void)puts(json_write(o).p);
	json_object_put(o);
}

/* Something is not right when somebody will never be told of something; but who
 * was to stay, and has been told to end, has done all that was asked */
static int report(struct delivering *d, bool json)
{
	enum err e =
		outbox_totals(d->sender.db, &d->row, note_total, d, &d->why);
	int status = 0;

	if (e != ERR_OK)
		return admin_fail("deliver", e, &d->why);
	if (json)
		print_json(d);
	else
		print_text(d);
	for (size_t i = 0; i < d->count; i++)
		if (d->totals[i].dead > 0 && !d->sender.stays)
			status = ADMIN_FOUND;
	return status;
}

/* --- the command --------------------------------------------------------- */

static enum err delivering_open(struct delivering *d, const struct app *app,
				bool stays)
{
	enum err e;

	*d = (struct delivering) {
		.sender = { .db = app->db,
			    .timeout = app->event_timeout,
			    .days = app->event_days,
			    .stays = stays },
		.count = app->webhook_targets.count,
	};
	d->lanes = calloc(d->count, sizeof(*d->lanes));
	d->totals = calloc(d->count, sizeof(*d->totals));
	if (d->lanes == NULL || d->totals == NULL)
		return err_set(&d->why, ERR_MEMORY, "out of memory");
	for (size_t i = 0; i < d->count; i++)
		d->lanes[i].url = app->webhook_targets.url[i];
	e = webhook_keys_read(span_of(app->event_secret), &d->sender.keys,
			      &d->why);
	if (e == ERR_OK)
		e = http_posts_open(app->event_timeout, app->event_ca,
				    &d->sender.posts);
	return e;
}

static void delivering_close(struct delivering *d)
{
	http_posts_close(d->sender.posts);
	webhook_keys_release(&d->sender.keys);
	free(d->lanes);
	free(d->totals);
}

int cmd_deliver(struct admin *a, int argc, char **argv)
{
	struct delivering d;
	bool json = false, stays = false;
	const struct option_place options[] = {
		{ .name = "follow", .flag = &stays },
		{ .name = "json", .flag = &json },
	};
	int status;
	enum err e;

	if (admin_options(argc, argv, options, 2) != 0)
		return EX_USAGE;
	if (a->app.webhook_targets.count == 0) {
		(void)fprintf(stderr, "gateway-admin deliver: nobody is to be "
				      "told: EVENT_URLS is not set\n");
		return EX_CONFIG;
	}
	log_setup("gateway-admin", LOG_INFO);
	set_signals();
	e = delivering_open(&d, &a->app, stays);
	if (e == ERR_OK)
		e = stays ? follow(&d) : pass(&d);
	status = e == ERR_OK ? report(&d, json)
			     : admin_fail("deliver", e, &d.why);
	delivering_close(&d);
	return status;
}
