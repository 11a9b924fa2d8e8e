#include "cgi-gateway/admin/gc.h"

#include "cgi-gateway/store/resumable.h"
#include "cgi-gateway/tables/tus_uploads.h"

#include <stdlib.h>

void gc_report(struct gc *s, enum sweep_event what, const char *id,
	       const char *why)
{
	s->count[what]++;
	s->tell(s->arg, what, id, why);
}

enum err gc_failed(struct gc *s, const char *id, enum err e,
		   struct errmsg *cause)
{
	struct errmsg why = *cause;

	if (e == ERR_MEMORY ||
	    (e == ERR_UNAVAILABLE && db_ping(s->db, cause) != ERR_OK))
		return e;
	gc_report(s, GC_FAILED, id,
		  why.text[0] != '\0' ? why.text : err_text(e));
	return ERR_OK;
}

static void removed(struct gc *s, enum sweep_event what, const char *id,
		    int64_t size)
{
	gc_report(s, what, id, "");
	s->bytes += size;
}

/* --- expired -------------------------------------------------------------- */

/* Rows are gathered first: one connection reads or removes, not both */
struct page {
	struct file row;
	struct file *files; /* FILES_LIST_MAX */
	size_t count;
};

static enum err note_row(void *arg)
{
	struct page *p = arg;

	p->files[p->count++] = p->row;
	return ERR_OK;
}

static enum err expire(struct gc *s, const struct file *f, struct errmsg *why)
{
	enum err e = ERR_OK;

	why->text[0] = '\0';
	if (!s->dry)
		e = files_delete_expired(s->db, f, s->now, s->to, why);
	/* Its owner has lifted the expiry, or another was quicker */
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e != ERR_OK)
		return gc_failed(s, f->id, e, why);
	if (!s->dry)
		e = store_remove(s->store, f->id, why);
	removed(s, GC_EXPIRED, f->id,
		e == ERR_OK || e == ERR_NOT_FOUND ? f->size : 0);
	/* An orphan by now: the next pass finds it again */
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return gc_failed(s, f->id, e, why);
	return ERR_OK;
}

enum err gc_expired(struct gc *s, struct errmsg *why)
{
	struct file last = { .id = "" };
	struct page p = { .files = calloc(FILES_LIST_MAX, sizeof(*p.files)) };
	enum err e = ERR_OK;

	if (p.files == NULL)
		return err_set(why, ERR_MEMORY, "out of memory");
	do {
		p.count = 0;
		e = files_expired(s->db, s->now, &last, &p.row, note_row, &p,
				  why);
		for (size_t i = 0; i < p.count && e == ERR_OK; i++)
			e = expire(s, &p.files[i], why);
		/* Behind the last, whether it went or not */
		if (p.count > 0)
			last = p.files[p.count - 1];
	} while (e == ERR_OK && p.count == FILES_LIST_MAX);
	free(p.files);
	return e;
}

/* --- left behind ---------------------------------------------------------- */

struct walk {
	struct gc *sweep;
	struct errmsg *why;
};

/* Whether a row names it, or is about to. ERR_NOT_FOUND. */
static enum err is_named(struct gc *s, const struct store_item *item,
			 struct errmsg *why)
{
	const struct span id = span_of(item->id);
	enum err e = ERR_NOT_FOUND;

	/* Nearly all are files; and a COMMIT on its way is waited for */
	if (item->kind == STORE_OBJECT)
		e = files_exists(s->db, id, why);
	if (e != ERR_NOT_FOUND)
		return e;
	return item->kind == STORE_OBJECT ? tus_uploads_wants(s->db, id, why)
					  : tus_uploads_exists(s->db, id, why);
}

static enum err judge(struct gc *s, const struct store_item *item,
		      struct errmsg *why)
{
	bool finished = item->kind == STORE_OBJECT;
	enum err e;

	/* In this order: whoever lets go after this has a row by now, or will
	 * never have one */
	if (store_is_locked(s->store, item->id)) {
		gc_report(s, GC_HELD, item->id, "");
		return ERR_OK;
	}
	e = is_named(s, item, why);
	if (e == ERR_OK)
		return ERR_OK;
	if (e != ERR_NOT_FOUND)
		return gc_failed(s, item->id, e, why);
	if (s->now - item->changed_at < s->grace) {
		gc_report(s, GC_YOUNG, item->id, "");
		return ERR_OK;
	}
	e = ERR_OK;
	if (!s->dry)
		e = finished ? store_remove(s->store, item->id, why)
			     : resumable_remove(s->store, item->id, why);
	/* Another was quicker */
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e != ERR_OK)
		return gc_failed(s, item->id, e, why);
	removed(s, finished ? GC_ORPHAN : GC_UNFINISHED, item->id, item->size);
	return ERR_OK;
}

static enum err see(void *arg, const struct store_item *item)
{
	struct walk *w = arg;

	w->why->text[0] = '\0';
	switch (item->kind) {
	case STORE_FOREIGN:
		gc_report(w->sweep, GC_FOREIGN, item->id, "");
		return ERR_OK;
	case STORE_UNREADABLE:
		gc_report(w->sweep, GC_FAILED, item->id, item->why);
		return ERR_OK;
	default:
		return judge(w->sweep, item, w->why);
	}
}

enum err gc_store(struct gc *s, struct errmsg *why)
{
	struct walk w = { s, why };

	return store_each(s->store, see, &w, why);
}
