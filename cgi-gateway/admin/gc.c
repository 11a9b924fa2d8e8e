#include "cgi-gateway/admin/gc.h"

#include "cgi-gateway/store/resumable.h"
#include "cgi-gateway/tables/tus_uploads.h"

#include <stdlib.h>

void gc_report(struct gc *gc, enum gc_event event, const char *id,
	       const char *why)
{
	gc->count[event]++;
	gc->report(gc->arg, event, id, why);
}

enum err gc_failed(struct gc *gc, const char *id, enum err e,
		   struct errmsg *why)
{
	struct errmsg reason = *why;

	if (e == ERR_MEMORY || ((e == ERR_UNAVAILABLE || e == ERR_OVERLOADED) &&
				db_ping(gc->db, why) != ERR_OK))
		return e;
	gc_report(gc, GC_FAILED, id,
		  reason.text[0] != '\0' ? reason.text : err_text(e));
	return ERR_OK;
}

static void removed(struct gc *gc, enum gc_event event, const char *id,
		    int64_t size)
{
	gc_report(gc, event, id, "");
	gc->bytes += size;
}

/* --- expired files -------------------------------------------------------- */

/* Rows are collected first: a connection either reads rows or deletes one. */
struct page {
	struct file row;
	struct file *files; /* FILES_LIST_MAX */
	size_t count;
};

static enum err add_to_page(void *arg)
{
	struct page *p = arg;

	p->files[p->count++] = p->row;
	return ERR_OK;
}

static enum err expire(struct gc *gc, const struct file *f, struct errmsg *why)
{
	enum err e = ERR_OK;

	why->text[0] = '\0';
	if (!gc->dry)
		e = files_delete_expired(gc->db, f, gc->now, gc->to, why);
	/* Its owner has changed the expiry, or another pass was faster */
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e != ERR_OK)
		return gc_failed(gc, f->id, e, why);
	if (!gc->dry)
		e = store_remove(gc->store, f->id, why);
	removed(gc, GC_EXPIRED, f->id,
		e == ERR_OK || e == ERR_NOT_FOUND ? f->size : 0);
	/* The object is now an orphan, which the next pass will find */
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return gc_failed(gc, f->id, e, why);
	return ERR_OK;
}

enum err gc_expired(struct gc *gc, struct errmsg *why)
{
	struct file last = { .id = "" };
	struct page p = { .files = calloc(FILES_LIST_MAX, sizeof(*p.files)) };
	enum err e = ERR_OK;

	if (p.files == NULL)
		return err_set(why, ERR_MEMORY, "out of memory");
	do {
		p.count = 0;
		e = files_expired(gc->db, gc->now, &last, &p.row, add_to_page,
				  &p, why);
		for (size_t i = 0; i < p.count && e == ERR_OK; i++)
			e = expire(gc, &p.files[i], why);
		/* Continue after the last file, whether it was removed or not
		 */
		if (p.count > 0)
			last = p.files[p.count - 1];
	} while (e == ERR_OK && p.count == FILES_LIST_MAX);
	free(p.files);
	return e;
}

/* --- orphans and unfinished objects --------------------------------------- */

struct walk {
	struct gc *gc;
	struct errmsg *why;
};

/* ERR_NOT_FOUND if no row names the object and none is about to. */
static enum err is_named(struct gc *gc, const struct store_item *item,
			 struct errmsg *why)
{
	const struct span id = span_of(item->id);
	enum err e = ERR_NOT_FOUND;

	/* Try files first, as nearly all objects are files. This waits for a
	 * COMMIT in progress. */
	if (item->kind == STORE_OBJECT)
		e = files_exists(gc->db, id, why);
	if (e != ERR_NOT_FOUND)
		return e;
	return item->kind == STORE_OBJECT
		       ? tus_uploads_is_unfinished_or_file(gc->db, id, why)
		       : tus_uploads_is_unfinished(gc->db, id, why);
}

static enum err remove_object(struct gc *gc, const struct store_item *item,
			      struct errmsg *why)
{
	bool finished = item->kind == STORE_OBJECT;
	enum err e = ERR_OK;

	if (!gc->dry)
		e = finished ? store_remove(gc->store, item->id, why)
			     : resumable_remove(gc->store, item->id, why);
	if (e == ERR_NOT_FOUND) /* another pass was faster */
		return ERR_OK;
	if (e != ERR_OK)
		return gc_failed(gc, item->id, e, why);
	removed(gc, finished ? GC_ORPHAN : GC_UNFINISHED, item->id, item->size);
	return ERR_OK;
}

static enum err check_object(struct gc *gc, const struct store_item *item,
			     struct errmsg *why)
{
	enum err e;

	/* Check the lock before the rows: if it is not locked now, its upload
	 * has already written its row, or never will */
	if (store_is_locked(gc->store, item->id)) {
		gc_report(gc, GC_HELD, item->id, "");
		return ERR_OK;
	}
	e = is_named(gc, item, why);
	if (e == ERR_OK)
		return ERR_OK;
	if (e != ERR_NOT_FOUND)
		return gc_failed(gc, item->id, e, why);
	if (gc->now - item->changed_at < gc->grace) {
		gc_report(gc, GC_YOUNG, item->id, "");
		return ERR_OK;
	}
	return remove_object(gc, item, why);
}

static enum err check_item(void *arg, const struct store_item *item)
{
	struct walk *w = arg;

	w->why->text[0] = '\0';
	switch (item->kind) {
	case STORE_FOREIGN:
		gc_report(w->gc, GC_FOREIGN, item->id, "");
		return ERR_OK;
	case STORE_UNREADABLE:
		gc_report(w->gc, GC_FAILED, item->id, item->why);
		return ERR_OK;
	default:
		return check_object(w->gc, item, w->why);
	}
}

enum err gc_store(struct gc *gc, struct errmsg *why)
{
	struct walk w = { gc, why };

	return store_walk(gc->store, check_item, &w, why);
}
