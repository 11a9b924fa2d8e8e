/* gateway-admin gc: remove what nobody will ask for again. */
#include "cgi-gateway/admin/commands.h"

#include "cgi-gateway/admin/gc_uploads.h"
#include "cgi-gateway/tables/links.h"
#include "cgi-gateway/tables/outbox.h"
#include "cgi-gateway/tables/upload_links.h"
#include "common/codec/json.h"

#include <sysexits.h>

enum {
	GC_GRACE = 3600, /* seconds, unless told */
	GC_TOLD = 1000,	 /* things that --json names, at the most */
};

/* What each is called by --verbose and in the "told" of --json */
static const char *const words[GC_EVENTS] = {
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
	struct gc pass;
	int64_t links, upload_links, events; /* removed, too */
	bool json, verbose;
	struct json_object *told; /* an array, with --json */
};

static void name_in_json(struct gc_run *run, enum sweep_event what,
			 const char *id, const char *why)
{
	struct json_object *o;

	if (json_object_array_length(run->told) >= GC_TOLD)
		return;
	o = json_object_new_object();
	json_set_str(o, "what", words[what]);
	json_set_str(o, "id", id);
	if (what == GC_FAILED)
		json_set_str(o, "why", why);
	(void)json_object_array_add(run->told, o);
}

static void told(void *arg, enum sweep_event what, const char *id,
		 const char *why)
{
	struct gc_run *run = arg;

	if (what == GC_FAILED)
		(void)fprintf(stderr, "gateway-admin gc: %s: %s\n", id, why);
	/* Of what was removed the numbers will do, unless told */
	if (run->json &&
	    (run->verbose || what == GC_FOREIGN || what == GC_FAILED))
		name_in_json(run, what, id, why);
	else if (!run->json && run->verbose && what != GC_FAILED)
		(void)printf("%-10s %s\n", words[what], id);
}

static void report_json(const struct gc_run *run)
{
	const struct gc *s = &run->pass;
	struct json_object *o = json_object_new_object();

	json_set_bool(o, "dry_run", s->dry);
	json_set_int(o, "expired", s->count[GC_EXPIRED]);
	json_set_int(o, "orphans", s->count[GC_ORPHAN]);
	json_set_int(o, "unfinished", s->count[GC_UNFINISHED]);
	json_set_int(o, "uploads", s->count[GC_UPLOAD]);
	json_set_int(o, "bytes", s->bytes);
	json_set_int(o, "links", run->links);
	json_set_int(o, "upload_links", run->upload_links);
	json_set_int(o, "events", run->events);
	json_set_int(o, "held", s->count[GC_HELD]);
	json_set_int(o, "young", s->count[GC_YOUNG]);
	json_set_int(o, "foreign", s->count[GC_FOREIGN]);
	json_set_int(o, "failed", s->count[GC_FAILED]);
	(void)json_object_object_add(o, "told", json_object_get(run->told));
	(void)puts(json_write(o).p);
	json_object_put(o);
}

static void report(const struct gc_run *run)
{
	const struct gc *s = &run->pass;

	if (run->json) {
		report_json(run);
		return;
	}
	(void)printf("%s%lld expired, %lld without a row, %lld unfinished, "
		     "%lld abandoned uploads: %lld bytes; %lld dead links, "
		     "%lld dead events\n",
		     s->dry ? "would remove " : "removed ",
		     (long long)s->count[GC_EXPIRED],
		     (long long)s->count[GC_ORPHAN],
		     (long long)s->count[GC_UNFINISHED],
		     (long long)s->count[GC_UPLOAD], (long long)s->bytes,
		     (long long)run->links + (long long)run->upload_links,
		     (long long)run->events);
	if (s->count[GC_HELD] + s->count[GC_YOUNG] + s->count[GC_FOREIGN] +
		    s->count[GC_FAILED] >
	    0)
		(void)printf("left: %lld held by an upload, %lld younger than "
			     "the grace time, %lld not ours, %lld failed\n",
			     (long long)s->count[GC_HELD],
			     (long long)s->count[GC_YOUNG],
			     (long long)s->count[GC_FOREIGN],
			     (long long)s->count[GC_FAILED]);
}

/* One that fails keeps the others from nothing */
static enum err settle(struct gc_run *run, const char *what, enum err e,
		       struct errmsg *why)
{
	return e == ERR_OK ? e : gc_failed(&run->pass, what, e, why);
}

/* Rows that no file goes with. After the files: a link's time runs from its
 * file's end. */
static enum err sweep_rows(struct gc_run *run, struct errmsg *why)
{
	const struct gc *s = &run->pass;
	enum err e = links_gc(s->db, s->now, s->dry, &run->links, why);

	e = settle(run, "links", e, why);
	if (e == ERR_OK) {
		e = upload_links_gc(s->db, s->now, s->dry, &run->upload_links,
				    why);
		e = settle(run, "upload links", e, why);
	}
	if (e == ERR_OK) {
		e = outbox_sweep(s->db, s->to, s->now, s->dry, &run->events,
				 why);
		e = settle(run, "events", e, why);
	}
	return e;
}

int cmd_gc(struct admin *a, int argc, char **argv)
{
	struct gc_run run = {
		.pass = { .db = a->app.db,
			  .store = a->app.store,
			  .to = &a->app.webhook_targets,
			  .now = a->now,
			  .grace = GC_GRACE,
			  .tell = told,
			  .arg = &run },
	};
	const struct option_place options[] = {
		{ .name = "grace", .number = &run.pass.grace },
		{ .name = "dry-run", .flag = &run.pass.dry },
		{ .name = "json", .flag = &run.json },
		{ .name = "verbose", .flag = &run.verbose },
	};
	struct errmsg why = { "" };
	enum err e;

	if (admin_options(argc, argv, options, 4) != 0)
		return EX_USAGE;
	run.told = json_object_new_array();
	e = gc_expired(&run.pass, &why);
	/* Before the store, in which they leave what no row names any more */
	if (e == ERR_OK)
		e = gc_uploads(&run.pass, a->app.upload_life, &why);
	if (e == ERR_OK)
		e = gc_store(&run.pass, &why);
	if (e == ERR_OK)
		e = sweep_rows(&run, &why);
	/* What was done until then was done */
	report(&run);
	json_object_put(run.told);
	if (e != ERR_OK)
		return admin_fail("gc", e, &why);
	return run.pass.count[GC_FAILED] == 0 ? 0 : ADMIN_FOUND;
}
