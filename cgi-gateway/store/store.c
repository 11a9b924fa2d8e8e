/* Passes each call on to the implementation. */
#include "cgi-gateway/store/store_ops.h"

void store_close(struct store *s)
{
	if (s != NULL)
		s->ops->close(s);
}

enum err store_ready(struct store *s, struct errmsg *why)
{
	return s->ops->ready(s, why);
}

const char *store_method(struct store *s)
{
	return s->ops->method != NULL ? s->ops->method(s) : "";
}

enum err store_writer_open(struct store *s, const char *id,
			   struct store_writer **out, struct errmsg *why)
{
	enum err e = s->ops->writer->open(s, id, out, why);

	if (e == ERR_OK)
		(*out)->ops = s->ops->writer;
	return e;
}

enum err store_writer_write(struct store_writer *w, struct span bytes,
			    struct errmsg *why)
{
	return w->ops->write(w, bytes, why);
}

enum err store_writer_read(struct store_writer *w, int64_t from, char *to,
			   size_t cap, size_t *got, struct errmsg *why)
{
	return w->ops->read(w, from, to, cap, got, why);
}

enum err store_writer_commit(struct store_writer *w, struct errmsg *why)
{
	return w->ops->commit(w, why);
}

void store_writer_abort(struct store_writer *w)
{
	if (w != NULL)
		w->ops->abort(w);
}

void store_unlock(struct store *s, const char *id)
{
	s->ops->unlock(s, id);
}

bool store_is_locked(struct store *s, const char *id)
{
	return s->ops->is_locked(s, id);
}

enum err store_exists(struct store *s, const char *id, struct errmsg *why)
{
	return s->ops->exists(s, id, why);
}

enum err store_remove(struct store *s, const char *id, struct errmsg *why)
{
	return s->ops->remove(s, id, why);
}

enum err store_reader_open(struct store *s, const char *id, int64_t from,
			   struct store_reader **out, int64_t *size,
			   struct errmsg *why)
{
	enum err e = s->ops->reader->open(s, id, from, out, size, why);

	if (e == ERR_OK)
		(*out)->ops = s->ops->reader;
	return e;
}

enum err store_reader_read(struct store_reader *r, char *to, size_t cap,
			   size_t *got, struct errmsg *why)
{
	return r->ops->read(r, to, cap, got, why);
}

void store_reader_close(struct store_reader *r)
{
	if (r != NULL)
		r->ops->close(r);
}

void store_reader_no_cache(struct store_reader *r)
{
	r->ops->no_cache(r);
}

enum err store_path(struct store *s, const char *id,
		    char out[static STORE_PATH_MAX])
{
	return s->ops->path != NULL ? s->ops->path(s, id, out) : ERR_METHOD;
}

enum err store_walk(struct store *s, store_walk_fn *each, void *arg,
		    struct errmsg *why)
{
	return s->ops->walk(s, each, arg, why);
}
