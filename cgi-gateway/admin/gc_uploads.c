#include "cgi-gateway/admin/gc_uploads.h"

#include "cgi-gateway/store/resumable.h"
#include "cgi-gateway/tables/tus_uploads.h"

#include <stdlib.h>
#include <string.h>

/* The part of a row that is needed */
struct expired {
	char id[UUID_LEN + 1];
	uint64_t owner;
	struct amount reserved;
	int64_t finished_at;
};

struct page {
	struct tus_upload row;
	struct expired *rows; /* FILES_LIST_MAX */
	size_t count;
};

static enum err add_to_page(void *arg)
{
	struct page *p = arg;
	struct expired *x = &p->rows[p->count++];

	memcpy(x->id, p->row.id, sizeof(x->id));
	x->owner = p->row.owner;
	x->reserved = p->row.reserved;
	x->finished_at = p->row.finished_at;
	return ERR_OK;
}

/* Remove the bytes, wherever they are: the upload may have stopped during its
 * commit */
static enum err remove_bytes(struct gc *gc, const char *id, struct errmsg *why)
{
	enum err e = resumable_remove(gc->store, id, why);

	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	e = store_remove(gc->store, id, why);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err remove_upload(struct gc *gc, const struct tus_upload *u,
			      int64_t offset, struct errmsg *why)
{
	enum err e = ERR_OK;

	if (!gc->dry)
		e = tus_uploads_delete_expired(gc->db, u, gc->now, why);
	if (e != ERR_OK || u->finished_at != TUS_UNFINISHED)
		return e;
	gc_report(gc, GC_UPLOAD, u->id, "");
	if (!gc->dry)
		e = remove_bytes(gc, u->id, why);
	if (e == ERR_OK)
		gc->bytes += offset;
	return e;
}

/* Check when the bytes were last written; the row has the time of creation. */
static enum err check_upload(struct gc *gc, const struct expired *x,
			     int64_t life, struct tus_upload *u,
			     struct errmsg *why)
{
	int64_t offset = 0, written_at = 0;
	enum err e = ERR_NOT_FOUND;

	memcpy(u->id, x->id, sizeof(x->id));
	u->owner = x->owner;
	u->reserved = x->reserved;
	u->finished_at = x->finished_at;
	if (x->finished_at == TUS_UNFINISHED)
		e = resumable_offset(gc->store, x->id, &offset, &written_at,
				     why);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	if (written_at <= gc->now - life)
		return remove_upload(gc, u, offset, why);
	return gc->dry ? ERR_OK
		       : tus_uploads_prolong(gc->db, u, written_at + life, why);
}

static enum err gc_page(struct gc *gc, struct page *p, int64_t life,
			struct errmsg *why)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < p->count && e == ERR_OK; i++) {
		why->text[0] = '\0';
		e = check_upload(gc, &p->rows[i], life, &p->row, why);
		/* Another process has finished or removed it in the meantime */
		if (e == ERR_NOT_FOUND)
			e = ERR_OK;
		if (e != ERR_OK)
			e = gc_failed(gc, p->rows[i].id, e, why);
	}
	return e;
}

static enum err gc_all(struct gc *gc, struct page *p, int64_t life,
		       struct errmsg *why)
{
	char after[UUID_LEN + 1] = "";
	enum err e = ERR_OK;

	do {
		p->count = 0;
		e = tus_uploads_expired(gc->db, gc->now, span_of(after),
					&p->row, add_to_page, p, why);
		if (e == ERR_OK)
			e = gc_page(gc, p, life, why);
		if (p->count > 0)
			memcpy(after, p->rows[p->count - 1].id, sizeof(after));
	} while (e == ERR_OK && p->count == FILES_LIST_MAX);
	return e;
}

enum err gc_uploads(struct gc *gc, int64_t life, struct errmsg *why)
{
	struct page *p = calloc(1, sizeof(*p));
	enum err e = ERR_MEMORY;

	if (p == NULL)
		return e;
	p->rows = calloc(FILES_LIST_MAX, sizeof(*p->rows));
	if (p->rows != NULL)
		e = gc_all(gc, p, life, why);
	free(p->rows);
	free(p);
	return e;
}
