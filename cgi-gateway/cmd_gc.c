/* gateway-admin gc: remove what nobody will ask for again. */
#include "admin.h"

#include "events.h"
#include "json.h"
#include "links.h"
#include "upload_links.h"
#include "uploads_sweep.h"

#include <sysexits.h>

enum {
	GC_GRACE = 3600, /* seconds, unless told */
	GC_TOLD = 1000,	 /* things that --json names, at the most */
};

/* What each is called by --verbose and in the "told" of --json */
static const char *const words[SWEEP_EVENTS] = {
	[SWEEP_EXPIRED] = "expired",
	[SWEEP_ORPHAN] = "orphan",
	[SWEEP_UNFINISHED] = "unfinished",
	[SWEEP_UPLOAD] = "upload",
	[SWEEP_HELD] = "held",
	[SWEEP_YOUNG] = "young",
	[SWEEP_FOREIGN] = "foreign",
	[SWEEP_FAILED] = "failed",
};

struct gc {
	struct sweep sweep;
	int64_t links, upload_links, events; /* removed, too */
	bool json, verbose;
	struct json_object *told; /* an array, with --json */
};

static void name_in_json(struct gc *gc, enum sweep_event what, const char *id,
			 const char *why)
{
	struct json_object *o;

	if (json_object_array_length(gc->told) >= GC_TOLD)
		return;
	o = json_object_new_object();
	json_set_str(o, "what", words[what]);
	json_set_str(o, "id", id);
	if (what == SWEEP_FAILED)
		json_set_str(o, "why", why);
	(void)json_object_array_add(gc->told, o);
}

static void told(void *arg, enum sweep_event what, const char *id,
		 const char *why)
{
	struct gc *gc = arg;

	if (what == SWEEP_FAILED)
		(void)fprintf(stderr, "gateway-admin gc: %s: %s\n", id, why);
	/* Of what was removed the numbers will do, unless told */
	if (gc->json &&
	    (gc->verbose || what == SWEEP_FOREIGN || what == SWEEP_FAILED))
		name_in_json(gc, what, id, why);
	else if (!gc->json && gc->verbose && what != SWEEP_FAILED)
		(void)printf("%-10s %s\n", words[what], id);
}

static void report_json(const struct gc *gc)
{
	const struct sweep *s = &gc->sweep;
	struct json_object *o = json_object_new_object();

	json_set_bool(o, "dry_run", s->dry);
	json_set_int(o, "expired", s->count[SWEEP_EXPIRED]);
	json_set_int(o, "orphans", s->count[SWEEP_ORPHAN]);
	json_set_int(o, "unfinished", s->count[SWEEP_UNFINISHED]);
	json_set_int(o, "uploads", s->count[SWEEP_UPLOAD]);
	json_set_int(o, "bytes", s->bytes);
	json_set_int(o, "links", gc->links);
	json_set_int(o, "upload_links", gc->upload_links);
	json_set_int(o, "events", gc->events);
	json_set_int(o, "held", s->count[SWEEP_HELD]);
	json_set_int(o, "young", s->count[SWEEP_YOUNG]);
	json_set_int(o, "foreign", s->count[SWEEP_FOREIGN]);
	json_set_int(o, "failed", s->count[SWEEP_FAILED]);
	(void)json_object_object_add(o, "told", json_object_get(gc->told));
	(void)puts(json_write(o).p);
	json_object_put(o);
}

static void report(const struct gc *gc)
{
	const struct sweep *s = &gc->sweep;

	if (gc->json) {
		report_json(gc);
		return;
	}
	(void)printf("%s%lld expired, %lld without a row, %lld unfinished, "
		     "%lld abandoned uploads: %lld bytes; %lld dead links, "
		     "%lld dead events\n",
		     s->dry ? "would remove " : "removed ",
		     (long long)s->count[SWEEP_EXPIRED],
		     (long long)s->count[SWEEP_ORPHAN],
		     (long long)s->count[SWEEP_UNFINISHED],
		     (long long)s->count[SWEEP_UPLOAD], (long long)s->bytes,
		     (long long)gc->links + (long long)gc->upload_links,
		     (long long)gc->events);
	if (s->count[SWEEP_HELD] + s->count[SWEEP_YOUNG] +
		    s->count[SWEEP_FOREIGN] + s->count[SWEEP_FAILED] >
	    0)
		(void)printf("left: %lld held by an upload, %lld younger than "
			     "the grace time, %lld not ours, %lld failed\n",
			     (long long)s->count[SWEEP_HELD],
			     (long long)s->count[SWEEP_YOUNG],
			     (long long)s->count[SWEEP_FOREIGN],
			     (long long)s->count[SWEEP_FAILED]);
}

/* One that fails keeps the others from nothing */
static enum err settle(struct gc *gc, const char *what, enum err e,
		       struct errmsg *m)
{
	return e == ERR_OK ? e : sweep_failed(&gc->sweep, what, e, m);
}

/* Rows that no file goes with. After the files: a link's time runs from its
 * file's end. */
static enum err sweep_rows(struct gc *gc, struct errmsg *m)
{
	const struct sweep *s = &gc->sweep;
	enum err e = links_sweep(s->db, s->now, s->dry, &gc->links, m);

	e = settle(gc, "links", e, m);
	if (e == ERR_OK) {
		e = upload_links_sweep(s->db, s->now, s->dry, &gc->upload_links,
				       m);
		e = settle(gc, "upload links", e, m);
	}
	if (e == ERR_OK) {
		e = events_sweep(s->db, s->to, s->now, s->dry, &gc->events, m);
		e = settle(gc, "events", e, m);
	}
	return e;
}

int cmd_gc(struct admin *a, int argc, char **argv)
{
	struct gc gc = {
		.sweep = { .db = a->app.db,
			   .store = a->app.store,
			   .to = &a->app.receivers,
			   .now = a->now,
			   .grace = GC_GRACE,
			   .tell = told,
			   .arg = &gc },
	};
	const struct option_place options[] = {
		{ .name = "grace", .number = &gc.sweep.grace },
		{ .name = "dry-run", .flag = &gc.sweep.dry },
		{ .name = "json", .flag = &gc.json },
		{ .name = "verbose", .flag = &gc.verbose },
	};
	struct errmsg m = { "" };
	enum err e;

	if (admin_options(argc, argv, options, 4) != 0)
		return EX_USAGE;
	gc.told = json_object_new_array();
	e = sweep_expired(&gc.sweep, &m);
	/* Before the store, in which they leave what no row names any more */
	if (e == ERR_OK)
		e = uploads_sweep(&gc.sweep, a->app.upload_life, &m);
	if (e == ERR_OK)
		e = sweep_store(&gc.sweep, &m);
	if (e == ERR_OK)
		e = sweep_rows(&gc, &m);
	/* What was done until then was done */
	report(&gc);
	json_object_put(gc.told);
	if (e != ERR_OK)
		return admin_fail("gc", e, &m);
	return gc.sweep.count[SWEEP_FAILED] == 0 ? 0 : ADMIN_FOUND;
}
