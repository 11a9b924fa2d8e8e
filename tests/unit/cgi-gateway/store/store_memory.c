#include "tests/unit/cgi-gateway/store/store_memory.h"

#include "cgi-gateway/store/store_ops.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* An object, or an upload on its way */
struct entry {
	char id[UUID_LEN + 1];
	enum store_kind kind; /* STORE_OBJECT or STORE_UNFINISHED */
	char *bytes;
	int64_t size, changed_at;
	/* of a resumable upload, until resumable_commit_end() */
	bool resumable, closed, committing;
	int64_t offset;	 /* bytes that count */
	uint64_t writer; /* the newest */
	struct entry *next;
};

struct lock {
	char id[UUID_LEN + 1];
	const struct store *owner;
	struct lock *next;
};

struct memory_data {
	pthread_mutex_t mutex; /* of all that follows */
	pthread_cond_t commit_closed;
	struct entry *entries;
	struct lock *locks;
	uint64_t writers; /* so far */
};

struct memory_store {
	struct store base;
	struct memory_data *data;
};

struct memory_writer {
	struct store_writer base;
	struct store *store;
	char id[UUID_LEN + 1];
};

struct memory_reader {
	struct store_reader base;
	char *bytes; /* a copy */
	int64_t size, at;
};

struct memory_resumable {
	struct resumable base;
	struct store *store;
	char id[UUID_LEN + 1];
	uint64_t writer;
	bool tentative;
	int64_t flushed; /* bytes of the whole */
	char *buffer;
	size_t buffered;
};

struct memory_commit {
	struct resumable_commit base;
	struct store *store;
	char id[UUID_LEN + 1];
};

static struct memory_data *data_of(const struct store *s)
{
	return ((const struct memory_store *)s)->data;
}

static struct memory_data *locked_data(const struct store *s)
{
	struct memory_data *d = data_of(s);

	(void)pthread_mutex_lock(&d->mutex);
	return d;
}

static enum err unlocked(struct memory_data *d, enum err e)
{
	(void)pthread_mutex_unlock(&d->mutex);
	return e;
}

static enum err no_memory(struct errmsg *why)
{
	return err_set(why, ERR_MEMORY, "out of memory");
}

/* --- entries and locks; the caller holds the mutex ------------------------ */

static struct entry *find(struct memory_data *d, const char *id,
			  enum store_kind kind)
{
	for (struct entry *x = d->entries; x != NULL; x = x->next)
		if (strcmp(x->id, id) == 0 && x->kind == kind)
			return x;
	return NULL;
}

static struct entry *find_resumable(struct memory_data *d, const char *id)
{
	for (struct entry *x = d->entries; x != NULL; x = x->next)
		if (strcmp(x->id, id) == 0 && x->resumable)
			return x;
	return NULL;
}

static struct entry *add_entry(struct memory_data *d, const char *id)
{
	struct entry *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return NULL;
	(void)snprintf(x->id, sizeof(x->id), "%s", id);
	x->kind = STORE_UNFINISHED;
	x->changed_at = (int64_t)time(NULL);
	x->next = d->entries;
	d->entries = x;
	return x;
}

static void drop_entry(struct memory_data *d, struct entry *x)
{
	struct entry **p = &d->entries;

	while (*p != x)
		p = &(*p)->next;
	*p = x->next;
	free(x->bytes);
	free(x);
}

static enum err append_to(struct entry *x, struct span bytes,
			  struct errmsg *why)
{
	char *more = realloc(x->bytes, (size_t)x->size + bytes.len + 1);

	if (more == NULL)
		return no_memory(why);
	x->bytes = more;
	if (bytes.len > 0)
		memcpy(x->bytes + x->size, bytes.p, bytes.len);
	x->size += (int64_t)bytes.len;
	x->changed_at = (int64_t)time(NULL);
	return ERR_OK;
}

static void copy_from(const char *bytes, int64_t size, int64_t from, char *to,
		      size_t cap, size_t *got)
{
	int64_t left = from < size ? size - from : 0;

	*got = left < (int64_t)cap ? (size_t)left : cap;
	if (*got > 0)
		memcpy(to, bytes + from, *got);
}

static bool add_lock(struct memory_data *d, const struct store *s,
		     const char *id)
{
	struct lock *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return false;
	(void)snprintf(l->id, sizeof(l->id), "%s", id);
	l->owner = s;
	l->next = d->locks;
	d->locks = l;
	return true;
}

/* `id` NULL: all of this owner */
static void drop_locks(struct memory_data *d, const struct store *s,
		       const char *id)
{
	struct lock **p = &d->locks;

	while (*p != NULL) {
		struct lock *l = *p;

		if (l->owner == s && (id == NULL || strcmp(l->id, id) == 0)) {
			*p = l->next;
			free(l);
		} else {
			p = &l->next;
		}
	}
}

static void memory_unlock(struct store *s, const char *id)
{
	struct memory_data *d = locked_data(s);

	drop_locks(d, s, id);
	(void)unlocked(d, ERR_OK);
}

static bool memory_is_locked(struct store *s, const char *id)
{
	struct memory_data *d = locked_data(s);
	bool found = false;

	for (struct lock *l = d->locks; l != NULL; l = l->next)
		found |= l->owner != s && strcmp(l->id, id) == 0;
	(void)unlocked(d, ERR_OK);
	return found;
}

/* --- writers -------------------------------------------------------------- */

static enum err writer_open(struct store *s, const char *id,
			    struct store_writer **out, struct errmsg *why)
{
	struct memory_writer *w = calloc(1, sizeof(*w));
	struct memory_data *d;

	if (w == NULL)
		return no_memory(why);
	d = locked_data(s);
	if (find(d, id, STORE_UNFINISHED) != NULL) {
		free(w);
		return unlocked(d, err_set(why, ERR_IO, "%s exists", id));
	}
	w->store = s;
	(void)snprintf(w->id, sizeof(w->id), "%s", id);
	if (!add_lock(d, s, id) || add_entry(d, id) == NULL) {
		drop_locks(d, s, id);
		free(w);
		return unlocked(d, no_memory(why));
	}
	*out = &w->base;
	return unlocked(d, ERR_OK);
}

static enum err writer_write(struct store_writer *w_, struct span bytes,
			     struct errmsg *why)
{
	struct memory_writer *w = (struct memory_writer *)w_;
	struct memory_data *d = locked_data(w->store);
	struct entry *x = find(d, w->id, STORE_UNFINISHED);

	return unlocked(d, x != NULL ? append_to(x, bytes, why) : ERR_IO);
}

static enum err writer_read(struct store_writer *w_, int64_t from, char *to,
			    size_t cap, size_t *got, struct errmsg *why)
{
	struct memory_writer *w = (struct memory_writer *)w_;
	struct memory_data *d = locked_data(w->store);
	struct entry *x = find(d, w->id, STORE_UNFINISHED);

	if (x == NULL)
		return unlocked(d, err_set(why, ERR_IO, "%s vanished", w->id));
	copy_from(x->bytes, x->size, from, to, cap, got);
	return unlocked(d, ERR_OK);
}

static void writer_abort(struct store_writer *w_)
{
	struct memory_writer *w = (struct memory_writer *)w_;
	struct memory_data *d = locked_data(w->store);
	struct entry *x = find(d, w->id, STORE_UNFINISHED);

	if (x != NULL)
		drop_entry(d, x);
	drop_locks(d, w->store, w->id);
	(void)unlocked(d, ERR_OK);
	free(w);
}

static enum err writer_commit(struct store_writer *w_, struct errmsg *why)
{
	struct memory_writer *w = (struct memory_writer *)w_;
	struct memory_data *d = locked_data(w->store);
	struct entry *x = find(d, w->id, STORE_UNFINISHED);

	if (x != NULL)
		x->kind = STORE_OBJECT;
	(void)unlocked(d, ERR_OK);
	if (x == NULL) {
		writer_abort(w_);
		return err_set(why, ERR_IO, "an object vanished");
	}
	free(w);
	return ERR_OK;
}

static const struct store_writer_ops writer_ops = {
	writer_open, writer_write, writer_read, writer_commit, writer_abort,
};

/* --- objects -------------------------------------------------------------- */

static enum err reader_open(struct store *s, const char *id, int64_t from,
			    struct store_reader **out, int64_t *size,
			    struct errmsg *why)
{
	struct memory_reader *r = calloc(1, sizeof(*r));
	struct memory_data *d = locked_data(s);
	struct entry *x = find(d, id, STORE_OBJECT);
	char *copy = x != NULL ? malloc((size_t)x->size + 1) : NULL;

	if (r == NULL || copy == NULL) {
		free(r);
		free(copy);
		return unlocked(d, x == NULL ? ERR_NOT_FOUND : no_memory(why));
	}
	if (x->size > 0)
		memcpy(copy, x->bytes, (size_t)x->size);
	r->bytes = copy;
	r->size = *size = x->size;
	r->at = from;
	*out = &r->base;
	return unlocked(d, ERR_OK);
}

static enum err reader_read(struct store_reader *r_, char *to, size_t cap,
			    size_t *got, struct errmsg *why)
{
	struct memory_reader *r = (struct memory_reader *)r_;

	(void)why;
	copy_from(r->bytes, r->size, r->at, to, cap, got);
	r->at += (int64_t)*got;
	return ERR_OK;
}

static void reader_no_cache(struct store_reader *r)
{
	(void)r;
}

static void reader_close(struct store_reader *r)
{
	free(((struct memory_reader *)r)->bytes);
	free(r);
}

static const struct store_reader_ops reader_ops = {
	reader_open,
	reader_read,
	reader_no_cache,
	reader_close,
};

static enum err memory_exists(struct store *s, const char *id,
			      struct errmsg *why)
{
	struct memory_data *d = locked_data(s);

	(void)why;
	return unlocked(d, find(d, id, STORE_OBJECT) != NULL ? ERR_OK
							     : ERR_NOT_FOUND);
}

static enum err remove_kind(struct store *s, const char *id,
			    enum store_kind kind)
{
	struct memory_data *d = locked_data(s);
	struct entry *x = find(d, id, kind);

	if (x == NULL)
		return unlocked(d, ERR_NOT_FOUND);
	drop_entry(d, x);
	return unlocked(d, ERR_OK);
}

static enum err memory_remove(struct store *s, const char *id,
			      struct errmsg *why)
{
	(void)why;
	return remove_kind(s, id, STORE_OBJECT);
}

static enum err memory_remove_unfinished(struct store *s, const char *id,
					 struct errmsg *why)
{
	(void)why;
	return remove_kind(s, id, STORE_UNFINISHED);
}

/* `each` may call the store, so it is called without the mutex: for the item
 * number n of a copy of the list */
static enum err memory_walk(struct store *s, store_walk_fn *each, void *arg,
			    struct errmsg *why)
{
	struct memory_data *d = locked_data(s);
	struct entry *copy = NULL;
	size_t count = 0, n = 0;
	enum err e = ERR_OK;

	for (struct entry *x = d->entries; x != NULL; x = x->next)
		count++;
	copy = calloc(count + 1, sizeof(*copy));
	for (struct entry *x = d->entries; x != NULL && copy != NULL;
	     x = x->next)
		copy[n++] = *x;
	(void)unlocked(d, ERR_OK);
	if (copy == NULL)
		return no_memory(why);
	for (size_t i = 0; i < n && e == ERR_OK; i++)
		e = each(arg, &(struct store_item) {
				      .kind = copy[i].kind,
				      .id = copy[i].id,
				      .size = copy[i].size,
				      .changed_at = copy[i].changed_at });
	free(copy);
	return e;
}

/* --- resumable uploads ---------------------------------------------------- */

static enum err resumable_create_(struct store *s, const char *id,
				  struct errmsg *why)
{
	struct memory_data *d = locked_data(s);
	struct entry *x;

	if (find(d, id, STORE_UNFINISHED) != NULL)
		return unlocked(d, ERR_CONFLICT);
	x = add_lock(d, s, id) ? add_entry(d, id) : NULL;
	if (x == NULL)
		return unlocked(d, no_memory(why));
	x->resumable = true;
	return unlocked(d, ERR_OK);
}

static enum err resumable_offset_(struct store *s, const char *id,
				  int64_t *offset, int64_t *written_at,
				  struct errmsg *why)
{
	struct memory_data *d = locked_data(s);
	struct entry *x = find_resumable(d, id);

	(void)why;
	if (x == NULL)
		return unlocked(d, ERR_NOT_FOUND);
	*offset = x->offset;
	*written_at = x->changed_at;
	return unlocked(d, ERR_OK);
}

static enum err resumable_open_(struct store *s, const char *id, int64_t *at,
				bool tentative, struct resumable **out,
				struct errmsg *why)
{
	struct memory_resumable *r = calloc(1, sizeof(*r));
	struct memory_data *d = locked_data(s);
	struct entry *x = find_resumable(d, id);

	if (r == NULL)
		return unlocked(d, no_memory(why));
	if (x == NULL || x->closed || x->offset != *at) {
		enum err e = ERR_NOT_FOUND;

		if (x != NULL && !x->closed) {
			*at = x->offset;
			e = ERR_CONFLICT;
		}
		free(r);
		return unlocked(d, e);
	}
	x->size = x->offset;
	x->writer = ++d->writers;
	r->store = s;
	(void)snprintf(r->id, sizeof(r->id), "%s", id);
	r->writer = x->writer;
	r->tentative = tentative;
	r->flushed = x->offset;
	*out = &r->base;
	return unlocked(d, ERR_OK);
}

static enum err flush_(struct memory_resumable *r, bool count_all,
		       struct errmsg *why)
{
	struct memory_data *d = locked_data(r->store);
	struct entry *x = find_resumable(d, r->id);
	enum err e;

	if (x == NULL || x->closed || x->writer != r->writer)
		return unlocked(d, ERR_CONFLICT);
	e = append_to(x, (struct span) { r->buffer, r->buffered }, why);
	if (e != ERR_OK)
		return unlocked(d, e);
	r->flushed = x->size;
	r->buffered = 0;
	if (count_all || !r->tentative)
		x->offset = x->size;
	return unlocked(d, ERR_OK);
}

static enum err resumable_write_(struct resumable *r_, struct span bytes,
				 struct errmsg *why)
{
	struct memory_resumable *r = (struct memory_resumable *)r_;
	char *more = realloc(r->buffer, r->buffered + bytes.len + 1);

	if (more == NULL)
		return no_memory(why);
	r->buffer = more;
	if (bytes.len > 0)
		memcpy(r->buffer + r->buffered, bytes.p, bytes.len);
	r->buffered += bytes.len;
	return ERR_OK;
}

static enum err resumable_flush_(struct resumable *r_, struct errmsg *why)
{
	struct memory_resumable *r = (struct memory_resumable *)r_;

	return r->buffered > 0 ? flush_(r, false, why) : ERR_OK;
}

static enum err resumable_sync_(struct resumable *r, struct errmsg *why)
{
	return flush_((struct memory_resumable *)r, true, why);
}

static int64_t resumable_at_(const struct resumable *r_)
{
	const struct memory_resumable *r = (const struct memory_resumable *)r_;

	return r->flushed + (int64_t)r->buffered;
}

static void resumable_close_(struct resumable *r)
{
	free(((struct memory_resumable *)r)->buffer);
	free(r);
}

static enum err resumable_append_(struct resumable *r, const char *id,
				  int64_t length, struct errmsg *why)
{
	struct memory_data *d =
		locked_data(((struct memory_resumable *)r)->store);
	struct entry *x = find_resumable(d, id);
	enum err e = ERR_OK;

	if (x == NULL)
		e = ERR_NOT_FOUND;
	else if (x->size != length)
		e = ERR_CONFLICT;
	else
		e = resumable_write_(
			r, (struct span) { x->bytes, (size_t)x->size }, why);
	return unlocked(d, e);
}

static enum err resumable_remove_(struct store *s, const char *id,
				  struct errmsg *why)
{
	struct memory_data *d = locked_data(s);
	struct entry *x = find(d, id, STORE_UNFINISHED);

	(void)why;
	drop_locks(d, s, id);
	if (x != NULL) {
		drop_entry(d, x);
		return unlocked(d, ERR_OK);
	}
	x = find_resumable(d, id);
	if (x == NULL)
		return unlocked(d, ERR_NOT_FOUND);
	x->resumable = false; /* its bytes are an object already */
	return unlocked(d, ERR_OK);
}

static const struct resumable_ops resumable_ops = {
	resumable_create_, resumable_offset_, resumable_remove_,
	resumable_open_,   resumable_write_,  resumable_flush_,
	resumable_sync_,   resumable_append_, resumable_at_,
	resumable_close_,
};

/* --- commits of these ----------------------------------------------------- */

static enum err commit_begin(struct store *s, const char *id, int64_t length,
			     struct resumable_commit **out,
			     unsigned char sha256[static SHA256_LEN],
			     struct errmsg *why)
{
	struct memory_commit *c = calloc(1, sizeof(*c));
	struct memory_data *d = locked_data(s);
	struct entry *x = find_resumable(d, id);

	while (c != NULL && x != NULL && x->committing) {
		(void)pthread_cond_wait(&d->commit_closed, &d->mutex);
		x = find_resumable(d, id);
	}
	if (c == NULL || x == NULL || x->offset != length) {
		enum err e = x == NULL ? ERR_NOT_FOUND : ERR_CONFLICT;

		e = c == NULL ? no_memory(why) : e;
		free(c);
		return unlocked(d, e);
	}
	x->closed = x->committing = true;
	x->size = x->offset;
	sha256_of((struct span) { x->bytes, (size_t)x->size }, sha256);
	c->store = s;
	(void)snprintf(c->id, sizeof(c->id), "%s", id);
	*out = &c->base;
	return unlocked(d, ERR_OK);
}

static enum err commit_read(struct resumable_commit *c_, int64_t from, char *to,
			    size_t cap, size_t *got, struct errmsg *why)
{
	struct memory_commit *c = (struct memory_commit *)c_;
	struct memory_data *d = locked_data(c->store);
	struct entry *x = find_resumable(d, c->id);

	if (x == NULL)
		return unlocked(d, err_set(why, ERR_IO, "%s vanished", c->id));
	copy_from(x->bytes, x->size, from, to, cap, got);
	return unlocked(d, ERR_OK);
}

static enum err commit_place(struct resumable_commit *c_, struct errmsg *why)
{
	struct memory_commit *c = (struct memory_commit *)c_;
	struct memory_data *d = locked_data(c->store);
	struct entry *x = find_resumable(d, c->id);

	if (x == NULL)
		return unlocked(d, err_set(why, ERR_IO, "%s vanished", c->id));
	x->kind = STORE_OBJECT;
	return unlocked(d, ERR_OK);
}

static void commit_close(struct resumable_commit *c_, bool done)
{
	struct memory_commit *c = (struct memory_commit *)c_;
	struct memory_data *d = locked_data(c->store);
	struct entry *x = find_resumable(d, c->id);

	if (x != NULL) {
		x->committing = false;
		x->resumable = !done;
	}
	(void)pthread_cond_broadcast(&d->commit_closed);
	(void)unlocked(d, ERR_OK);
	free(c);
}

static void commit_end(struct resumable_commit *c)
{
	commit_close(c, true);
}

static void commit_leave(struct resumable_commit *c)
{
	commit_close(c, false);
}

static const struct resumable_commit_ops commit_ops = {
	commit_begin, commit_read, commit_place, commit_end, commit_leave,
};

/* --- the store ------------------------------------------------------------ */

static enum err memory_ready(struct store *s, struct errmsg *why)
{
	(void)s;
	(void)why;
	return ERR_OK;
}

static void memory_close(struct store *s)
{
	struct memory_data *d = locked_data(s);

	drop_locks(d, s, NULL);
	(void)unlocked(d, ERR_OK);
	free(s);
}

static const struct store_ops memory_ops = {
	.writer = &writer_ops,
	.reader = &reader_ops,
	.resumable = &resumable_ops,
	.commit = &commit_ops,
	.ready = memory_ready,
	.unlock = memory_unlock,
	.is_locked = memory_is_locked,
	.exists = memory_exists,
	.remove = memory_remove,
	.remove_unfinished = memory_remove_unfinished,
	.path = NULL,
	.walk = memory_walk,
	.close = memory_close,
};

struct memory_data *memory_data_new(void)
{
	struct memory_data *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	(void)pthread_mutex_init(&d->mutex, NULL);
	(void)pthread_cond_init(&d->commit_closed, NULL);
	return d;
}

void memory_data_free(struct memory_data *d)
{
	if (d == NULL)
		return;
	while (d->entries != NULL)
		drop_entry(d, d->entries);
	(void)pthread_cond_destroy(&d->commit_closed);
	(void)pthread_mutex_destroy(&d->mutex);
	free(d);
}

enum err store_memory_open(struct memory_data *d, struct store **out,
			   struct errmsg *why)
{
	struct memory_store *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return no_memory(why);
	s->base.ops = &memory_ops;
	s->data = d;
	*out = &s->base;
	return ERR_OK;
}
