#include "cgi-gateway/admin/gc_uploads.h"

#include "cgi-gateway/store/resumable.h"
#include "cgi-gateway/tables/tus_uploads.h"

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
	struct tus_upload row;
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
static enum err remove_bytes(struct gc *s, const char *id, struct errmsg *why)
{
	enum err e = resumable_remove(s->store, id, why);

	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	e = store_remove(s->store, id, why);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err drop(struct gc *s, const struct tus_upload *u, int64_t offset,
		     struct errmsg *why)
{
	enum err e = ERR_OK;

	if (!s->dry)
		e = tus_uploads_drop(s->db, u, s->now, why);
	if (e != ERR_OK || u->finished_at != TUS_UNFINISHED)
		return e;
	gc_report(s, GC_UPLOAD, u->id, "");
	if (!s->dry)
		e = remove_bytes(s, u->id, why);
	if (e == ERR_OK)
		s->bytes += offset;
	return e;
}

/* The row tells when it was begun; when it was gone on with, the bytes do */
static enum err judge(struct gc *s, const struct expired *x, int64_t life,
		      struct tus_upload *u, struct errmsg *why)
{
	int64_t offset = 0, written_at = 0;
	enum err e = ERR_NOT_FOUND;

	memcpy(u->id, x->id, sizeof(x->id));
	u->owner = x->owner;
	u->held = x->held;
	u->finished_at = x->finished_at;
	if (x->finished_at == TUS_UNFINISHED)
		e = resumable_offset(s->store, x->id, &offset, &written_at,
				     why);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	if (written_at <= s->now - life)
		return drop(s, u, offset, why);
	return s->dry ? ERR_OK
		      : tus_uploads_prolong(s->db, u, written_at + life, why);
}

static enum err sweep_page(struct gc *s, struct page *p, int64_t life,
			   struct errmsg *why)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < p->count && e == ERR_OK; i++) {
		why->text[0] = '\0';
		e = judge(s, &p->rows[i], life, &p->row, why);
		/* Somebody else had it meanwhile: to finish it, or to end it */
		if (e == ERR_NOT_FOUND)
			e = ERR_OK;
		if (e != ERR_OK)
			e = gc_failed(s, p->rows[i].id, e, why);
	}
	return e;
}

static enum err sweep_all(struct gc *s, struct page *p, int64_t life,
			  struct errmsg *why)
{
	char after[UUID_LEN + 1] = "";
	enum err e = ERR_OK;

	do {
		p->count = 0;
		e = tus_uploads_expired(s->db, s->now, span_of(after), &p->row,
					note, p, why);
		if (e == ERR_OK)
			e = sweep_page(s, p, life, why);
		if (p->count > 0)
			memcpy(after, p->rows[p->count - 1].id, sizeof(after));
	} while (e == ERR_OK && p->count == FILES_LIST_MAX);
	return e;
}

enum err gc_uploads(struct gc *s, int64_t life, struct errmsg *why)
{
	struct page *p = calloc(1, sizeof(*p));
	enum err e = ERR_MEMORY;

	if (p == NULL)
		return e;
	p->rows = calloc(FILES_LIST_MAX, sizeof(*p->rows));
	if (p->rows != NULL)
		e = sweep_all(s, p, life, why);
	free(p->rows);
	free(p);
	return e;
}
