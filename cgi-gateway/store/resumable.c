/* Passes each call on to the implementation, as store.c does. */
#include "cgi-gateway/store/store_ops.h"

/* --- resumable.h ---------------------------------------------------------- */

enum err resumable_create(struct store *s, const char *id, struct errmsg *why)
{
	return s->ops->resumable->create(s, id, why);
}

enum err resumable_offset(struct store *s, const char *id, int64_t *offset,
			  int64_t *written_at, struct errmsg *why)
{
	return s->ops->resumable->offset(s, id, offset, written_at, why);
}

enum err resumable_open(struct store *s, const char *id, int64_t *at,
			bool tentative, struct resumable **out,
			struct errmsg *why)
{
	enum err e = s->ops->resumable->open(s, id, at, tentative, out, why);

	if (e == ERR_OK)
		(*out)->ops = s->ops->resumable;
	return e;
}

enum err resumable_write(struct resumable *r, struct span bytes,
			 struct errmsg *why)
{
	return r->ops->write(r, bytes, why);
}

enum err resumable_flush(struct resumable *r, struct errmsg *why)
{
	return r->ops->flush(r, why);
}

enum err resumable_sync(struct resumable *r, struct errmsg *why)
{
	return r->ops->sync(r, why);
}

int64_t resumable_at(const struct resumable *r)
{
	return r->ops->at(r);
}

void resumable_close(struct resumable *r)
{
	if (r != NULL)
		r->ops->close(r);
}

enum err resumable_append(struct resumable *r, const char *id, int64_t length,
			  struct errmsg *why)
{
	return r->ops->append(r, id, length, why);
}

enum err resumable_remove(struct store *s, const char *id, struct errmsg *why)
{
	return s->ops->resumable->remove(s, id, why);
}

/* --- resumable_commit.h --------------------------------------------------- */

enum err resumable_commit_begin(struct store *s, const char *id, int64_t length,
				struct resumable_commit **out,
				unsigned char sha256[static SHA256_LEN],
				struct errmsg *why)
{
	enum err e = s->ops->commit->begin(s, id, length, out, sha256, why);

	if (e == ERR_OK)
		(*out)->ops = s->ops->commit;
	return e;
}

enum err resumable_commit_read(struct resumable_commit *c, int64_t from,
			       char *to, size_t cap, size_t *got,
			       struct errmsg *why)
{
	return c->ops->read(c, from, to, cap, got, why);
}

enum err resumable_commit_place(struct resumable_commit *c, struct errmsg *why)
{
	return c->ops->place(c, why);
}

void resumable_commit_end(struct resumable_commit *c)
{
	c->ops->end(c);
}

void resumable_commit_leave(struct resumable_commit *c)
{
	if (c != NULL)
		c->ops->leave(c);
}
