/* events list, events retry, events forget */
#include "cgi-gateway/admin/commands.h"
#include "cgi-gateway/admin/gateway_admin.h"
#include "cgi-gateway/tables/file_json.h"
#include "cgi-gateway/tables/outbox.h"
#include "common/admin/failure.h"
#include "common/admin/options.h"
#include "common/admin/output.h"
#include "common/codec/http_date.h"

enum { LIST_DEFAULT = 100 }; /* events that list shows */

struct events {
	/* from the command line */
	struct outbox_filter filter;
	bool all, json;
	int64_t limit;
	/* while the command runs */
	struct gateway_admin admin;
	struct event row, *page; /* OUTBOX_LIST_MAX of them */
	size_t count;		 /* on the page */
	struct outbox_total total;
	struct json_object *targets; /* being filled */
};

static enum err add_to_page(void *arg)
{
	struct events *ev = arg;

	ev->page[ev->count++] = ev->row;
	return ERR_OK;
}

/* Read the next page, of ids above `after` */
static enum err read_page(struct events *ev, uint64_t after, struct errmsg *why)
{
	ev->count = 0;
	return outbox_list(ev->admin.app.db, &ev->filter, after, &ev->row,
			   add_to_page, ev, why);
}

/* Read the options, and open what the command works with. */
static int begin_command(struct events *ev, int argc, char **argv, bool lists)
{
	const struct option_place options[] = {
		{ .name = "id", .number = &ev->filter.id },
		{ .name = "receiver", .value = &ev->filter.target },
		{ .name = "dead", .flag = &ev->filter.dead },
		{ .name = "all", .flag = &ev->all },
		{ .name = "limit",
		  .number = &ev->limit,
		  .min = 1,
		  .max = OUTBOX_LIST_MAX },
		{ .name = "json", .flag = &ev->json },
		{ .name = NULL },
	};
	struct errmsg why = { "" };
	int status;

	*ev = (struct events) { .limit = LIST_DEFAULT };
	status = options_read(argc, argv, options, NULL, NULL);
	if (status == 0 && !lists && !ev->all && ev->filter.id == 0 &&
	    ev->filter.target == NULL && !ev->filter.dead)
		status = admin_fail_usage(
			"one of --id, --receiver, --dead or --all is required");
	if (status == 0)
		status = gateway_admin_open(&ev->admin, NEEDS_DATABASE);
	if (status != 0)
		return status;
	ev->page = calloc(OUTBOX_LIST_MAX, sizeof(*ev->page));
	if (ev->page != NULL)
		return 0;
	gateway_admin_close(&ev->admin);
	return admin_fail_err(ERR_MEMORY, &why);
}

static int end_command(struct events *ev, enum err e, const struct errmsg *why)
{
	int status = e == ERR_OK ? 0 : admin_fail_db(e, why);

	free(ev->page);
	gateway_admin_close(&ev->admin);
	return status;
}

/* --- list ---------------------------------------------------------------- */

static enum err add_total(void *arg)
{
	struct events *ev = arg;
	const struct outbox_total *t = &ev->total;
	bool configured =
		webhook_targets_has(&ev->admin.app.webhook_targets, t->target);
	struct json_object *o;

	if (!ev->json) {
		(void)printf("%s: %lld waiting, %lld dead%s\n", t->target,
			     (long long)t->waiting, (long long)t->dead,
			     configured ? "" : "; not in EVENT_URLS");
		return ERR_OK;
	}
	o = output_object();
	json_set_str(o, "url", t->target);
	json_set_bool(o, "configured", configured);
	json_set_int(o, "waiting", t->waiting);
	json_set_int(o, "dead", t->dead);
	output_set_time(o, "oldest_at", t->oldest, 0);
	(void)json_object_array_add(ev->targets, o);
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
		     e->target);
	if (e->attempts == 0)
		(void)puts("not tried yet");
	else
		(void)printf("%s after %lld attempts: %s%s%s\n",
			     e->dead_at != 0 ? "dead" : "waiting",
			     (long long)e->attempts,
			     e->why[0] != '\0' ? e->why : "under way",
			     e->dead_at != 0 ? "" : "; due ",
			     e->dead_at != 0 ? "" : due);
}

static struct json_object *event_json(const struct event *e)
{
	struct json_object *o = output_object();

	json_set_int(o, "id", (int64_t)e->id);
	json_set_str(o, "receiver", e->target);
	json_set_str(o, "kind", e->kind);
	output_set_time(o, "at", e->at, 0);
	json_set_str(o, "file", e->file.id);
	json_set_int(o, "owner", (int64_t)e->file.owner);
	json_set_str(o, "name", e->file.name);
	json_set_int(o, "attempts", e->attempts);
	output_set_time(o, "due_at", e->due_at, 0);
	output_set_time(o, "dead_at", e->dead_at, 0);
	json_set_str(o, "why", e->why);
	return o;
}

static void print_json(struct events *ev)
{
	struct json_object *o = output_object(), *list = output_array();

	for (size_t i = 0; i < ev->count && (int64_t)i < ev->limit; i++)
		(void)json_object_array_add(list, event_json(&ev->page[i]));
	(void)json_object_object_add(o, "receivers",
				     json_object_get(ev->targets));
	(void)json_object_object_add(o, "events", list);
	output_json(o);
}

int cmd_events_list(int argc, char **argv)
{
	struct events ev;
	struct errmsg why = { "" };
	int status = begin_command(&ev, argc, argv, true);
	enum err e;

	if (status != 0)
		return status;
	ev.targets = output_array();
	e = outbox_totals(ev.admin.app.db, &ev.total, add_total, &ev, &why);
	if (e == ERR_OK)
		e = read_page(&ev, 0, &why);
	if (e == ERR_OK && ev.json)
		print_json(&ev);
	else if (e == ERR_OK)
		for (size_t i = 0; i < ev.count && (int64_t)i < ev.limit; i++)
			print_event(&ev.page[i]);
	json_object_put(ev.targets);
	return end_command(&ev, e, &why);
}

/* --- retry and forget ---------------------------------------------------- */

typedef enum err change_fn(struct events *ev, uint64_t id, struct errmsg *why);

static enum err retry(struct events *ev, uint64_t id, struct errmsg *why)
{
	return outbox_retry(ev->admin.app.db, id, ev->admin.now, why);
}

static enum err forget(struct events *ev, uint64_t id, struct errmsg *why)
{
	return outbox_forget(ev->admin.app.db, id, why);
}

/* Find events without a lock and change them one by one: see outbox_gc() */
static enum err change_all(struct events *ev, change_fn *change,
			   int64_t *changed, struct errmsg *why)
{
	enum err e = read_page(ev, 0, why);

	while (e == ERR_OK && ev->count > 0) {
		const uint64_t last = ev->page[ev->count - 1].id;

		for (size_t i = 0; i < ev->count && e == ERR_OK; i++) {
			e = change(ev, ev->page[i].id, why);
			*changed += e == ERR_OK;
			if (e == ERR_NOT_FOUND) /* already delivered */
				e = ERR_OK;
		}
		if (e == ERR_OK)
			e = read_page(ev, last, why);
	}
	return e;
}

static int change_and_report(int argc, char **argv, change_fn *change,
			     const char *member, const char *text)
{
	struct events ev;
	struct errmsg why = { "" };
	int64_t changed = 0;
	int status = begin_command(&ev, argc, argv, false);
	enum err e;

	if (status != 0)
		return status;
	e = change_all(&ev, change, &changed, &why);
	if (e == ERR_OK && ev.json) {
		struct json_object *o = output_object();

		json_set_int(o, member, changed);
		output_json(o);
	} else if (e == ERR_OK) {
		(void)printf("%lld events %s\n", (long long)changed, text);
	}
	return end_command(&ev, e, &why);
}

int cmd_events_retry(int argc, char **argv)
{
	return change_and_report(argc, argv, retry, "retried",
				 "will be retried");
}

int cmd_events_forget(int argc, char **argv)
{
	return change_and_report(argc, argv, forget, "forgotten", "forgotten");
}
