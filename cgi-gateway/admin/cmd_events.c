/* gateway-admin events: list, retry, forget. */
#include "cgi-gateway/admin/commands.h"

#include "cgi-gateway/tables/file_json.h"
#include "cgi-gateway/tables/outbox.h"
#include "common/codec/http_date.h"
#include "common/codec/json.h"

#include <string.h>
#include <sysexits.h>

enum { LIST_DEFAULT = 100 }; /* events that are shown */

static int wrong(const char *what)
{
	(void)fprintf(stderr,
		      "gateway-admin events: %s; see gateway-admin events "
		      "--help\n",
		      what);
	return EX_USAGE;
}

struct listing {
	const struct admin *admin;
	struct outbox_which which;
	bool all, json;
	int64_t limit;
	struct event row;
	struct outbox_total total;
	struct event *page; /* OUTBOX_LIST_MAX of them */
	size_t count;
	struct json_object *list; /* being filled */
	struct errmsg why;
};

static enum err note_row(void *arg)
{
	struct listing *l = arg;

	l->page[l->count++] = l->row;
	return ERR_OK;
}

/* The next page behind the id `after` */
static enum err read_page(struct listing *l, uint64_t after)
{
	l->count = 0;
	return outbox_list(l->admin->app.db, &l->which, after, &l->row,
			   note_row, l, &l->why);
}

/* --- list ---------------------------------------------------------------- */

static enum err add_total(void *arg)
{
	struct listing *l = arg;
	const struct outbox_total *t = &l->total;
	bool configured = webhook_targets_has(&l->admin->app.webhook_targets,
					      t->receiver);
	struct json_object *o;

	if (!l->json) {
		(void)printf("%s: %lld wait, %lld are dead%s\n", t->receiver,
			     (long long)t->waiting, (long long)t->dead,
			     configured ? "" : "; not in EVENT_URLS");
		return ERR_OK;
	}
	o = json_object_new_object();
	json_set_str(o, "url", t->receiver);
	json_set_bool(o, "configured", configured);
	json_set_int(o, "waiting", t->waiting);
	json_set_int(o, "dead", t->dead);
	file_json_set_time(o, "oldest_at", t->oldest);
	(void)json_object_array_add(l->list, o);
	return ERR_OK;
}

static void print_event(const struct event *e)
{
	char at[RFC3339_LEN + 1], due[RFC3339_LEN + 1];

	rfc3339_format(e->at, at);
	rfc3339_format(e->due_at, due);
	(void)printf("%llu %s %s %s (owner %llu, \"%s\") for %s: ",
		     (unsigned long long)e->id, at, e->kind, e->file.id,
		     (unsigned long long)e->file.owner, e->file.name,
		     e->receiver);
	if (e->attempts == 0)
		(void)puts("not tried yet");
	else
		(void)printf("%s after %lld attempts: %s%s%s\n",
			     e->dead_at != 0 ? "dead" : "waits",
			     (long long)e->attempts,
			     e->why[0] != '\0' ? e->why : "under way",
			     e->dead_at != 0 ? "" : "; due ",
			     e->dead_at != 0 ? "" : due);
}

static struct json_object *event_json(const struct event *e)
{
	struct json_object *o = json_object_new_object();

	json_set_int(o, "id", (int64_t)e->id);
	json_set_str(o, "receiver", e->receiver);
	json_set_str(o, "kind", e->kind);
	file_json_set_time(o, "at", e->at);
	json_set_str(o, "file", e->file.id);
	json_set_int(o, "owner", (int64_t)e->file.owner);
	json_set_str(o, "name", e->file.name);
	json_set_int(o, "attempts", e->attempts);
	file_json_set_time(o, "due_at", e->due_at);
	file_json_set_time(o, "dead_at", e->dead_at);
	json_set_str(o, "why", e->why);
	return o;
}

static enum err list(struct listing *l)
{
	struct json_object *o = json_object_new_object();
	enum err e;

	l->list = json_object_new_array();
	(void)json_object_object_add(o, "receivers", l->list);
	e = outbox_totals(l->admin->app.db, &l->total, add_total, l, &l->why);
	if (e == ERR_OK)
		e = read_page(l, 0);
	l->list = json_object_new_array();
	(void)json_object_object_add(o, "events", l->list);
	for (size_t i = 0; i < l->count && (int64_t)i < l->limit; i++) {
		if (l->json)
			(void)json_object_array_add(l->list,
						    event_json(&l->page[i]));
		else
			print_event(&l->page[i]);
	}
	if (e == ERR_OK && l->json)
		(void)puts(json_write(o).p);
	json_object_put(o);
	return e;
}

/* --- retry and forget ---------------------------------------------------- */

/* One by one, found without a lock: see outbox_sweep() */
static enum err change(struct listing *l, bool retry)
{
	struct db *db = l->admin->app.db;
	int64_t changed = 0;
	struct json_object *o;
	enum err e = read_page(l, 0);

	while (e == ERR_OK && l->count > 0) {
		const uint64_t last = l->page[l->count - 1].id;

		for (size_t i = 0; i < l->count && e == ERR_OK; i++) {
			const uint64_t id = l->page[i].id;

			e = retry ? outbox_retry(db, id, l->admin->now, &l->why)
				  : outbox_forget(db, id, &l->why);
			changed += e == ERR_OK;
			if (e == ERR_NOT_FOUND) /* delivered meanwhile */
				e = ERR_OK;
		}
		if (e == ERR_OK)
			e = read_page(l, last);
	}
	if (e != ERR_OK)
		return e;
	o = json_object_new_object();
	json_set_int(o, retry ? "retried" : "forgotten", changed);
	if (l->json)
		(void)puts(json_write(o).p);
	else
		(void)printf("%lld events %s\n", (long long)changed,
			     retry ? "will be tried anew" : "forgotten");
	json_object_put(o);
	return ERR_OK;
}

/* --- the command --------------------------------------------------------- */

static int read_options(struct listing *l, int argc, char **argv)
{
	const struct option_place options[] = {
		{ .name = "id", .number = &l->which.id },
		{ .name = "receiver", .value = &l->which.receiver },
		{ .name = "dead", .flag = &l->which.dead },
		{ .name = "all", .flag = &l->all },
		{ .name = "limit", .number = &l->limit },
		{ .name = "json", .flag = &l->json },
	};

	return admin_options(argc, argv, options, 6);
}

int cmd_events(struct admin *a, int argc, char **argv)
{
	struct listing l = { .admin = a, .limit = LIST_DEFAULT };
	const char *what = argc > 1 ? argv[1] : "";
	bool lists = strcmp(what, "list") == 0;
	bool retries = strcmp(what, "retry") == 0;
	enum err e;

	if (!lists && !retries && strcmp(what, "forget") != 0)
		return wrong("say list, retry or forget");
	if (read_options(&l, argc - 1, argv + 1) != 0)
		return EX_USAGE;
	if (l.limit < 1 || l.limit > OUTBOX_LIST_MAX)
		return wrong("--limit is from 1 to 1000");
	if (!lists && !l.all && l.which.id == 0 && l.which.receiver == NULL &&
	    !l.which.dead)
		return wrong("say which: --id, --receiver, --dead or --all");
	l.page = calloc(OUTBOX_LIST_MAX, sizeof(*l.page));
	if (l.page == NULL)
		return admin_fail("events", ERR_MEMORY, &l.why);
	e = lists ? list(&l) : change(&l, retries);
	free(l.page);
	return e == ERR_OK ? 0 : admin_fail("events", e, &l.why);
}
