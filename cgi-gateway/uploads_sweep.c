#include "uploads_sweep.h"

#include "partial.h"

#include <stdlib.h>
#include <string.h>

/* A row of the page, without what an upload carries besides */
struct expired {
	char id[UUID_LEN + 1];
	uint64_t owner;
	struct amount held;
	int64_t finished_at;
};

struct sweep {
	struct db *db;
	struct store *store;
	int64_t now, life;
	bool dry;
	struct upload row;
	struct expired *page;
	size_t count;
	int64_t *removed, *bytes;
	struct errmsg *m;
};

static enum err note(void *arg)
{
	struct sweep *s = arg;
	struct expired *x = &s->page[s->count++];

	memcpy(x->id, s->row.id, sizeof(x->id));
	x->owner = s->row.owner;
	x->held = s->row.held;
	x->finished_at = s->row.finished_at;
	return ERR_OK;
}

static enum err drop(struct sweep *s, int64_t offset)
{
	enum err e = ERR_OK;

	if (!s->dry)
		e = uploads_drop(s->db, &s->row, s->now, s->m);
	if (e != ERR_OK || s->row.finished_at != UPLOAD_UNFINISHED)
		return e;
	++*s->removed;
	*s->bytes += offset;
	return s->dry ? ERR_OK : partial_remove(s->store, s->row.id, s->m);
}

/* The row tells when it was begun; when it was gone on with, the bytes do */
static enum err judge(struct sweep *s, const struct expired *x)
{
	int64_t offset = 0, written_at = 0;
	enum err e = ERR_NOT_FOUND;

	memcpy(s->row.id, x->id, sizeof(x->id));
	s->row.owner = x->owner;
	s->row.held = x->held;
	s->row.finished_at = x->finished_at;
	if (x->finished_at == UPLOAD_UNFINISHED)
		e = partial_look(s->store, x->id, &offset, &written_at, s->m);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	if (written_at <= s->now - s->life)
		e = drop(s, offset);
	else if (!s->dry)
		e = uploads_prolong(s->db, &s->row, written_at + s->life, s->m);
	/* Somebody else had it meanwhile: to finish it, or to end it */
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err sweep(struct sweep *s)
{
	char after[UUID_LEN + 1] = "";
	enum err e = ERR_OK;

	do {
		s->count = 0;
		e = uploads_expired(s->db, s->now, span_of(after), &s->row,
				    note, s, s->m);
		for (size_t i = 0; i < s->count && e == ERR_OK; i++)
			e = judge(s, &s->page[i]);
		if (s->count > 0)
			memcpy(after, s->page[s->count - 1].id, sizeof(after));
	} while (e == ERR_OK && s->count == FILES_LIST_MAX);
	return e;
}

enum err uploads_sweep(struct db *db, struct store *store, int64_t now,
		       int64_t life, bool dry, int64_t *removed, int64_t *bytes,
		       struct errmsg *m)
{
	struct sweep *s = calloc(1, sizeof(*s));
	enum err e = ERR_MEMORY;

	if (s == NULL)
		return e;
	*s = (struct sweep) { .db = db,
			      .store = store,
			      .now = now,
			      .life = life,
			      .dry = dry,
			      .removed = removed,
			      .bytes = bytes,
			      .m = m };
	s->page = calloc(FILES_LIST_MAX, sizeof(*s->page));
	if (s->page != NULL)
		e = sweep(s);
	free(s->page);
	free(s);
	return e;
}
