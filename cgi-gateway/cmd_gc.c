/* gateway-admin gc: what has expired, and what was left behind.
 *
 * Expired: the row goes first, then the bytes, as a delete does. Left behind:
 * bytes that no row names, from a crash between the two, and uploads that were
 * begun and never finished. An upload under way looks just like these, but it
 * is young: the grace time spares it. */
#include "admin.h"

#include "events.h"
#include "json.h"
#include "links.h"
#include "partial.h"
#include "upload_links.h"
#include "uploads_sweep.h"

#include <sysexits.h>

struct gc {
	struct admin *admin;
	int64_t grace; /* seconds */
	bool dry;
	int64_t expired, orphans, unfinished, bytes;  /* removed */
	int64_t uploads, links, upload_links, events; /* removed, too */
	struct file row;
	struct file *found; /* one page of expired rows */
	size_t count;
	struct errmsg m;
};

static enum err note_expired(void *arg)
{
	struct gc *gc = arg;

	gc->found[gc->count++] = gc->row;
	return ERR_OK;
}

static enum err remove_file(struct gc *gc, const struct file *f)
{
	enum err e = ERR_OK;

	if (!gc->dry)
		e = files_drop(gc->admin->app.db, f, gc->admin->now,
			       &gc->admin->app.receivers, &gc->m);
	if (e == ERR_OK) {
		gc->expired++;
		gc->bytes += f->size;
	}
	if (e == ERR_OK && !gc->dry)
		e = store_remove(gc->admin->app.store, f->id, &gc->m);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* The rows are gathered first: one connection reads or removes, not both */
static enum err sweep_expired(struct gc *gc)
{
	enum err e;

	do {
		gc->count = 0;
		e = files_expired(gc->admin->app.db, gc->admin->now, &gc->row,
				  note_expired, gc, &gc->m);
		for (size_t i = 0; i < gc->count && e == ERR_OK; i++)
			e = remove_file(gc, &gc->found[i]);
	} while (e == ERR_OK && gc->count == FILES_LIST_MAX && !gc->dry);
	return e;
}

static enum err sweep_item(void *arg, const struct store_item *item)
{
	struct gc *gc = arg;
	struct store *s = gc->admin->app.store;
	enum err e;

	/* Somebody's own file in there is not ours to judge */
	if (gc->admin->now - item->changed_at < gc->grace ||
	    !ident_is_uuid(span_of(item->id)))
		return ERR_OK;
	/* An upload may be gone on with, or be about to become a file */
	e = item->finished ? uploads_wants(gc->admin->app.db, span_of(item->id),
					   &gc->m)
			   : uploads_exists(gc->admin->app.db,
					    span_of(item->id), &gc->m);
	if (e != ERR_NOT_FOUND)
		return e;
	if (item->finished) {
		gc->orphans++;
	} else {
		gc->unfinished++;
	}
	gc->bytes += item->size;
	if (gc->dry)
		return ERR_OK;
	e = item->finished ? store_remove(s, item->id, &gc->m)
			   : partial_remove(s, item->id, &gc->m);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static void report(const struct gc *gc, bool json)
{
	struct json_object *o;

	if (!json) {
		(void)printf("%s%lld expired, %lld without a row, %lld "
			     "unfinished, %lld abandoned uploads: %lld bytes; "
			     "%lld dead links, %lld dead events\n",
			     gc->dry ? "would remove " : "removed ",
			     (long long)gc->expired, (long long)gc->orphans,
			     (long long)gc->unfinished, (long long)gc->uploads,
			     (long long)gc->bytes,
			     (long long)gc->links + (long long)gc->upload_links,
			     (long long)gc->events);
		return;
	}
	o = json_object_new_object();
	json_set_bool(o, "dry_run", gc->dry);
	json_set_int(o, "expired", gc->expired);
	json_set_int(o, "orphans", gc->orphans);
	json_set_int(o, "unfinished", gc->unfinished);
	json_set_int(o, "uploads", gc->uploads);
	json_set_int(o, "bytes", gc->bytes);
	json_set_int(o, "links", gc->links);
	json_set_int(o, "upload_links", gc->upload_links);
	json_set_int(o, "events", gc->events);
	(void)puts(json_write(o).p);
	json_object_put(o);
}

int cmd_gc(struct admin *a, int argc, char **argv)
{
	struct gc gc = { .admin = a, .grace = 3600 };
	bool json = false;
	const struct option_place options[] = {
		{ .name = "grace", .number = &gc.grace },
		{ .name = "dry-run", .flag = &gc.dry },
		{ .name = "json", .flag = &json },
	};
	enum err e;

	if (admin_options(argc, argv, options, 3) != 0)
		return EX_USAGE;
	gc.found = calloc(FILES_LIST_MAX, sizeof(*gc.found));
	if (gc.found == NULL)
		return admin_fail("gc", ERR_MEMORY, &gc.m);
	e = sweep_expired(&gc);
	/* Before the store, in which they leave what no row names any more */
	if (e == ERR_OK)
		e = uploads_sweep(a->app.db, a->app.store, a->now,
				  a->app.upload_life, gc.dry, &gc.uploads,
				  &gc.bytes, &gc.m);
	if (e == ERR_OK)
		e = store_each(a->app.store, sweep_item, &gc, &gc.m);
	/* After the files, so that a link's time runs from the file's end */
	if (e == ERR_OK)
		e = links_sweep(a->app.db, a->now, gc.dry, &gc.links, &gc.m);
	if (e == ERR_OK)
		e = upload_links_sweep(a->app.db, a->now, gc.dry,
				       &gc.upload_links, &gc.m);
	if (e == ERR_OK)
		e = events_sweep(a->app.db, &a->app.receivers, a->now, gc.dry,
				 &gc.events, &gc.m);
	free(gc.found);
	if (e != ERR_OK)
		return admin_fail("gc", e, &gc.m);
	report(&gc, json);
	return 0;
}
