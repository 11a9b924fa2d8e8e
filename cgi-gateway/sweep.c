#include "sweep.h"

#include "partial.h"
#include "uploads.h"

#include <stdlib.h>

void sweep_tell(struct sweep *s, enum sweep_event what, const char *id,
		const char *why)
{
	s->count[what]++;
	s->tell(s->arg, what, id, why);
}

enum err sweep_failed(struct sweep *s, const char *id, enum err e,
		      struct errmsg *m)
{
	struct errmsg why = *m;

	if (e == ERR_MEMORY ||
	    (e == ERR_UNAVAILABLE && db_ping(s->db, m) != ERR_OK))
		return e;
	sweep_tell(s, SWEEP_FAILED, id,
		   why.text[0] != '\0' ? why.text : err_text(e));
	return ERR_OK;
}

static void removed(struct sweep *s, enum sweep_event what, const char *id,
		    int64_t size)
{
	sweep_tell(s, what, id, "");
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

static enum err expire(struct sweep *s, const struct file *f, struct errmsg *m)
{
	enum err e = ERR_OK;

	m->text[0] = '\0';
	if (!s->dry)
		e = files_drop(s->db, f, s->now, s->to, m);
	/* Its owner has lifted the expiry, or another was quicker */
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e != ERR_OK)
		return sweep_failed(s, f->id, e, m);
	if (!s->dry)
		e = store_remove(s->store, f->id, m);
	removed(s, SWEEP_EXPIRED, f->id,
		e == ERR_OK || e == ERR_NOT_FOUND ? f->size : 0);
	/* An orphan by now: the next pass finds it again */
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return sweep_failed(s, f->id, e, m);
	return ERR_OK;
}

enum err sweep_expired(struct sweep *s, struct errmsg *m)
{
	struct file last = { .id = "" };
	struct page p = { .files = calloc(FILES_LIST_MAX, sizeof(*p.files)) };
	enum err e = ERR_OK;

	if (p.files == NULL)
		return err_set(m, ERR_MEMORY, "out of memory");
	do {
		p.count = 0;
		e = files_expired(s->db, s->now, &last, &p.row, note_row, &p,
				  m);
		for (size_t i = 0; i < p.count && e == ERR_OK; i++)
			e = expire(s, &p.files[i], m);
		/* Behind the last, whether it went or not */
		if (p.count > 0)
			last = p.files[p.count - 1];
	} while (e == ERR_OK && p.count == FILES_LIST_MAX);
	free(p.files);
	return e;
}

/* --- left behind ---------------------------------------------------------- */

struct walk {
	struct sweep *sweep;
	struct errmsg *m;
};

/* Whether a row names it, or is about to. ERR_NOT_FOUND. */
static enum err is_named(struct sweep *s, const struct store_item *item,
			 struct errmsg *m)
{
	const struct span id = span_of(item->id);
	enum err e = ERR_NOT_FOUND;

	/* Nearly all are files; and a COMMIT on its way is waited for */
	if (item->kind == STORE_OBJECT)
		e = files_exists(s->db, id, m);
	if (e != ERR_NOT_FOUND)
		return e;
	return item->kind == STORE_OBJECT ? uploads_wants(s->db, id, m)
					  : uploads_exists(s->db, id, m);
}

static enum err judge(struct sweep *s, const struct store_item *item,
		      struct errmsg *m)
{
	bool finished = item->kind == STORE_OBJECT;
	enum err e;

	/* In this order: whoever lets go after this has a row by now, or will
	 * never have one */
	if (store_is_held(s->store, item->id)) {
		sweep_tell(s, SWEEP_HELD, item->id, "");
		return ERR_OK;
	}
	e = is_named(s, item, m);
	if (e == ERR_OK)
		return ERR_OK;
	if (e != ERR_NOT_FOUND)
		return sweep_failed(s, item->id, e, m);
	if (s->now - item->changed_at < s->grace) {
		sweep_tell(s, SWEEP_YOUNG, item->id, "");
		return ERR_OK;
	}
	e = ERR_OK;
	if (!s->dry)
		e = finished ? store_remove(s->store, item->id, m)
			     : partial_remove(s->store, item->id, m);
	/* Another was quicker */
	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e != ERR_OK)
		return sweep_failed(s, item->id, e, m);
	removed(s, finished ? SWEEP_ORPHAN : SWEEP_UNFINISHED, item->id,
		item->size);
	return ERR_OK;
}

static enum err see(void *arg, const struct store_item *item)
{
	struct walk *w = arg;

	w->m->text[0] = '\0';
	switch (item->kind) {
	case STORE_FOREIGN:
		sweep_tell(w->sweep, SWEEP_FOREIGN, item->id, "");
		return ERR_OK;
	case STORE_UNREADABLE:
		sweep_tell(w->sweep, SWEEP_FAILED, item->id, item->why);
		return ERR_OK;
	default:
		return judge(w->sweep, item, w->m);
	}
}

enum err sweep_store(struct sweep *s, struct errmsg *m)
{
	struct walk w = { s, m };

	return store_each(s->store, see, &w, m);
}
