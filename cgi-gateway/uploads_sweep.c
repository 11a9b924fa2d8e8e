#include "uploads_sweep.h"

#include "partial.h"
#include "uploads.h"

#include <stdlib.h>
#include <string.h>

/* A row of the page, without what an upload carries besides */
struct expired {
	char id[UUID_LEN + 1];
	uint64_t owner;
	struct amount held;
	int64_t finished_at;
};

struct page {
	struct upload row;
	struct expired *rows; /* FILES_LIST_MAX */
	size_t count;
};

static enum err note(void *arg)
{
	struct page *p = arg;
	struct expired *x = &p->rows[p->count++];

	memcpy(x->id, p->row.id, sizeof(x->id));
	x->owner = p->row.owner;
	x->held = p->row.held;
	x->finished_at = p->row.finished_at;
	return ERR_OK;
}

/* Wherever they are: it may have been left in the middle of its finish */
static enum err remove_bytes(struct sweep *s, const char *id, struct errmsg *m)
{
	enum err e = partial_remove(s->store, id, m);

	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	e = store_remove(s->store, id, m);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err drop(struct sweep *s, const struct upload *u, int64_t offset,
		     struct errmsg *m)
{
	enum err e = ERR_OK;

	if (!s->dry)
		e = uploads_drop(s->db, u, s->now, m);
	if (e != ERR_OK || u->finished_at != UPLOAD_UNFINISHED)
		return e;
	sweep_tell(s, SWEEP_UPLOAD, u->id, "");
	if (!s->dry)
		e = remove_bytes(s, u->id, m);
	if (e == ERR_OK)
		s->bytes += offset;
	return e;
}

/* The row tells when it was begun; when it was gone on with, the bytes do */
static enum err judge(struct sweep *s, const struct expired *x, int64_t life,
		      struct upload *u, struct errmsg *m)
{
	int64_t offset = 0, written_at = 0;
	enum err e = ERR_NOT_FOUND;

	memcpy(u->id, x->id, sizeof(x->id));
	u->owner = x->owner;
	u->held = x->held;
	u->finished_at = x->finished_at;
	if (x->finished_at == UPLOAD_UNFINISHED)
		e = partial_look(s->store, x->id, &offset, &written_at, m);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	if (written_at <= s->now - life)
		return drop(s, u, offset, m);
	return s->dry ? ERR_OK
		      : uploads_prolong(s->db, u, written_at + life, m);
}

static enum err sweep_page(struct sweep *s, struct page *p, int64_t life,
			   struct errmsg *m)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < p->count && e == ERR_OK; i++) {
		m->text[0] = '\0';
		e = judge(s, &p->rows[i], life, &p->row, m);
		/* Somebody else had it meanwhile: to finish it, or to end it */
		if (e == ERR_NOT_FOUND)
			e = ERR_OK;
		if (e != ERR_OK)
			e = sweep_failed(s, p->rows[i].id, e, m);
	}
	return e;
}

static enum err sweep_all(struct sweep *s, struct page *p, int64_t life,
			  struct errmsg *m)
{
	char after[UUID_LEN + 1] = "";
	enum err e = ERR_OK;

	do {
		p->count = 0;
		e = uploads_expired(s->db, s->now, span_of(after), &p->row,
				    note, p, m);
		if (e == ERR_OK)
			e = sweep_page(s, p, life, m);
		if (p->count > 0)
			memcpy(after, p->rows[p->count - 1].id, sizeof(after));
	} while (e == ERR_OK && p->count == FILES_LIST_MAX);
	return e;
}

enum err uploads_sweep(struct sweep *s, int64_t life, struct errmsg *m)
{
	struct page *p = calloc(1, sizeof(*p));
	enum err e = ERR_MEMORY;

	if (p == NULL)
		return e;
	p->rows = calloc(FILES_LIST_MAX, sizeof(*p->rows));
	if (p->rows != NULL)
		e = sweep_all(s, p, life, m);
	free(p->rows);
	free(p);
	return e;
}
