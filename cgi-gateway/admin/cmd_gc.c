/* gc: remove what is no longer used */
#include "cgi-gateway/admin/commands.h"
#include "cgi-gateway/admin/gateway_admin.h"
#include "cgi-gateway/admin/gc_uploads.h"
#include "cgi-gateway/tables/links.h"
#include "cgi-gateway/tables/name_index.h"
#include "cgi-gateway/tables/outbox.h"
#include "cgi-gateway/tables/upload_links.h"
#include "common/admin/exit_status.h"
#include "common/admin/failure.h"
#include "common/admin/options.h"
#include "common/admin/output.h"

enum {
	GRACE_DEFAULT = 3600, /* seconds */
	REPORTED_MAX = 1000,  /* items that --json names */
};

/* The names of items, in --verbose and --json */
static const char *const event_names[GC_EVENTS] = {
	[GC_EXPIRED] = "expired",
	[GC_ORPHAN] = "orphan",
	[GC_UNFINISHED] = "unfinished",
	[GC_UPLOAD] = "upload",
	[GC_HELD] = "held",
	[GC_YOUNG] = "young",
	[GC_FOREIGN] = "foreign",
	[GC_FAILED] = "failed",
};

struct gc_run {
	struct gc gc;
	int64_t links, upload_links, events; /* rows removed */
	int64_t indexed;		     /* names */
	bool json, verbose;
	struct json_object *reported; /* an array, with --json */
};

static void add_to_json(struct gc_run *run, enum gc_event event, const char *id,
			const char *why)
{
	struct json_object *o;

	if (json_object_array_length(run->reported) >= REPORTED_MAX)
		return;
	o = output_object();
	json_set_str(o, "what", event_names[event]);
	json_set_str(o, "id", id);
	if (event == GC_FAILED)
		json_set_str(o, "why", why);
	(void)json_object_array_add(run->reported, o);
}

static void report_item(void *arg, enum gc_event event, const char *id,
			const char *why)
{
	struct gc_run *run = arg;

	if (event == GC_FAILED)
		(void)admin_fail(EXIT_NEGATIVE, "%s: %s", id, why);
	/* Without --verbose, removed items are only counted */
	if (run->json &&
	    (run->verbose || event == GC_FOREIGN || event == GC_FAILED))
		add_to_json(run, event, id, why);
	else if (!run->json && run->verbose && event != GC_FAILED)
		(void)printf("%-10s %s\n", event_names[event], id);
}

static void print_json(const struct gc_run *run)
{
	const struct gc *gc = &run->gc;
	struct json_object *o = output_object();

	json_set_bool(o, "dry_run", gc->dry);
	json_set_int(o, "expired", gc->count[GC_EXPIRED]);
	json_set_int(o, "orphans", gc->count[GC_ORPHAN]);
	json_set_int(o, "unfinished", gc->count[GC_UNFINISHED]);
	json_set_int(o, "uploads", gc->count[GC_UPLOAD]);
	json_set_int(o, "bytes", gc->bytes);
	json_set_int(o, "links", run->links);
	json_set_int(o, "upload_links", run->upload_links);
	json_set_int(o, "events", run->events);
	json_set_int(o, "indexed", run->indexed);
	json_set_int(o, "held", gc->count[GC_HELD]);
	json_set_int(o, "young", gc->count[GC_YOUNG]);
	json_set_int(o, "foreign", gc->count[GC_FOREIGN]);
	json_set_int(o, "failed", gc->count[GC_FAILED]);
	(void)json_object_object_add(o, "told", json_object_get(run->reported));
	output_json(o);
}

static void print_text(const struct gc_run *run)
{
	const struct gc *gc = &run->gc;

	(void)printf("%s%lld expired, %lld without a row, %lld unfinished, "
		     "%lld abandoned uploads: %lld bytes; %lld dead links, "
		     "%lld dead events\n",
		     gc->dry ? "would remove " : "removed ",
		     (long long)gc->count[GC_EXPIRED],
		     (long long)gc->count[GC_ORPHAN],
		     (long long)gc->count[GC_UNFINISHED],
		     (long long)gc->count[GC_UPLOAD], (long long)gc->bytes,
		     (long long)run->links + (long long)run->upload_links,
		     (long long)run->events);
	if (run->indexed > 0)
		(void)printf("indexed %lld names\n", (long long)run->indexed);
	if (gc->count[GC_HELD] + gc->count[GC_YOUNG] + gc->count[GC_FOREIGN] +
		    gc->count[GC_FAILED] >
	    0)
		(void)printf("kept: %lld locked by an upload, %lld younger "
			     "than the grace time, %lld with a foreign name, "
			     "%lld failed\n",
			     (long long)gc->count[GC_HELD],
			     (long long)gc->count[GC_YOUNG],
			     (long long)gc->count[GC_FOREIGN],
			     (long long)gc->count[GC_FAILED]);
}

/* Continue after an error: if one kind of row fails, the others are still
 * removed. */
static enum err continue_after(struct gc_run *run, const char *kind, enum err e,
			       struct errmsg *why)
{
	return e == ERR_OK ? e : gc_failed(&run->gc, kind, e, why);
}

/* Remove rows that belong to no object. Run after the files, because the
 * deletion of a file starts the time of its links. */
static enum err gc_rows(struct gc_run *run, struct errmsg *why)
{
	const struct gc *gc = &run->gc;
	enum err e = links_gc(gc->db, gc->now, gc->dry, &run->links, why);

	e = continue_after(run, "links", e, why);
	if (e == ERR_OK) {
		e = upload_links_gc(gc->db, gc->now, gc->dry,
				    &run->upload_links, why);
		e = continue_after(run, "upload links", e, why);
	}
	if (e == ERR_OK) {
		e = outbox_gc(gc->db, gc->to, gc->now, gc->dry, &run->events,
			      why);
		e = continue_after(run, "events", e, why);
	}
	return e;
}

/* Names of files from before the index, or from a program of an older version
 */
static enum err gc_index(struct gc_run *run, struct errmsg *why)
{
	int64_t count;
	enum err e = ERR_OK;

	while (!run->gc.dry && e == ERR_OK) {
		e = name_index_rest(run->gc.db, &count, why);
		if (e == ERR_OK)
			run->indexed += count;
	}
	return e == ERR_NOT_FOUND ? ERR_OK
				  : continue_after(run, "names", e, why);
}

static int collect(struct gc_run *run, int64_t upload_life)
{
	struct errmsg why = { "" };
	enum err e;

	run->reported = output_array();
	e = gc_expired(&run->gc, &why);
	/* Before gc_store(), which removes their bytes if they become orphans
	 */
	if (e == ERR_OK)
		e = gc_uploads(&run->gc, upload_life, &why);
	if (e == ERR_OK)
		e = gc_store(&run->gc, &why);
	if (e == ERR_OK)
		e = gc_rows(run, &why);
	if (e == ERR_OK)
		e = gc_index(run, &why);
	/* Also after an error: report what was done before it */
	if (run->json)
		print_json(run);
	else
		print_text(run);
	json_object_put(run->reported);
	if (e != ERR_OK)
		return gateway_admin_fail(e, &why);
	return run->gc.count[GC_FAILED] == 0 ? 0 : EXIT_NEGATIVE;
}

int cmd_gc(int argc, char **argv)
{
	struct gc_run run = { .gc = { .grace = GRACE_DEFAULT,
				      .report = report_item,
				      .arg = &run } };
	const struct option_place options[] = {
		{ .name = "grace", .number = &run.gc.grace },
		{ .name = "dry-run", .flag = &run.gc.dry },
		{ .name = "json", .flag = &run.json },
		{ .name = "verbose", .flag = &run.verbose },
		{ .name = NULL },
	};
	struct gateway_admin g;
	int status = options_read(argc, argv, options, NULL, NULL);

	if (status == 0)
		status = gateway_admin_open(&g, NEEDS_DATABASE_AND_STORE);
	if (status != 0)
		return status;
	run.gc.db = g.app.db;
	run.gc.store = g.app.store;
	run.gc.to = &g.app.webhook_targets;
	run.gc.now = g.now;
	status = collect(&run, g.app.upload_life);
	gateway_admin_close(&g);
	return status;
}
