/* store.h - where the bytes of files are, whichever way they are kept.
 *
 * An object has an id (a UUID of ours, never a client's text), is written once
 * from front to end, and never changes. It exists for readers only after
 * store_finish() has answered ERR_OK, which promises that it survives a crash
 * and a loss of power. Implementations: store_disk.
 *
 *   ERR_FULL         no space left
 *   ERR_NOT_FOUND    no such object
 *   ERR_UNAVAILABLE  the store is away, later may work
 *   ERR_IO           anything else; `m` tells the operator
 */
#ifndef STORE_H
#define STORE_H

#include "err.h"
#include "ident.h"
#include "span.h"

enum {
	STORE_PATH_MAX = 4096, /* bytes of a path, with its NUL */
};

struct store;	     /* shared by all threads */
struct store_writer; /* one object being written, in one thread's hands */
struct store_reader;

/* Begin the object `id`. The writer is ended by exactly one of store_finish()
 * and store_abandon(), whatever comes between. */
enum err store_begin(struct store *s, const char *id, struct store_writer **out,
		     struct errmsg *m) MUST_CHECK;

/* Append. After a failure only store_abandon() makes sense. */
enum err store_write(struct store_writer *w, struct span bytes,
		     struct errmsg *m) MUST_CHECK;

/* Read what has been written so far, from byte `from` on: at most `cap` bytes
 * into `to`; *got is 0 behind its end. Writing may go on afterwards. */
enum err store_peek(struct store_writer *w, int64_t from, char *to, size_t cap,
		    size_t *got, struct errmsg *m) MUST_CHECK;

/* Make it safe and visible; after a failure there is no such object. The
 * writer is gone either way. */
enum err store_finish(struct store_writer *w, struct errmsg *m) MUST_CHECK;

/* Forget what was written. NULL is fine. */
void store_abandon(struct store_writer *w);

/* Remove an object. */
enum err store_remove(struct store *s, const char *id,
		      struct errmsg *m) MUST_CHECK;

/* Read from byte `from` on. *size takes the object's whole length in bytes. */
enum err store_open(struct store *s, const char *id, int64_t from,
		    struct store_reader **out, int64_t *size,
		    struct errmsg *m) MUST_CHECK;
/* At most `cap` bytes into `to`; *got is 0 at the end. */
enum err store_read(struct store_reader *r, char *to, size_t cap, size_t *got,
		    struct errmsg *m) MUST_CHECK;
void store_done(struct store_reader *r); /* NULL is fine */

/* The object's absolute path, for a server that sends it by itself.
 * ERR_NOT_FOUND where the object, or any path to it, is not there. */
enum err store_path(struct store *s, const char *id,
		    char out[static STORE_PATH_MAX]) MUST_CHECK;

/* ERR_OK if something could be written now. */
enum err store_ready(struct store *s, struct errmsg *m) MUST_CHECK;

/* One thing in the store: a finished object, or what was begun and left. */
struct store_item {
	const char *id;
	bool finished;
	int64_t size;
	int64_t changed_at; /* seconds since 1970: last written or finished */
};

/* Every item, in no order. Any value of `each` but ERR_OK ends the walk and is
 * its result. */
typedef enum err store_each_fn(void *arg, const struct store_item *item);
enum err store_each(struct store *s, store_each_fn *each, void *arg,
		    struct errmsg *m) MUST_CHECK;

/* Remove what was begun and left. */
enum err store_remove_unfinished(struct store *s, const char *id,
				 struct errmsg *m) MUST_CHECK;

void store_close(struct store *s); /* NULL is fine */

#endif
