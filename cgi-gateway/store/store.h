/* store.h - where the bytes of files are, whichever way they are kept.
 *
 * An object has an id (a UUID of ours, never a client's text), is written once
 * from front to end, and never changes. It exists for readers only after
 * store_writer_commit() has answered ERR_OK, which promises that it survives a crash
 * and a loss of power. Implementations: store_disk.
 *
 *   ERR_FULL         no space left
 *   ERR_NOT_FOUND    no such object
 *   ERR_UNAVAILABLE  the store is away, later may work
 *   ERR_IO           anything else; `m` tells the operator
 */
#ifndef STORE_H
#define STORE_H

#include "common/base/err.h"
#include "common/base/span.h"
#include "common/codec/ident.h"

enum {
	STORE_PATH_MAX = 4096, /* bytes of a path, with its NUL */
	STORE_TAIL =
		39, /* its last bytes, "aa/<id>": the place among objects */
};

struct store;	     /* shared by all threads */
struct store_writer; /* one object being written, in one thread's hands */
struct store_reader;

/* Begin the object `id`, and hold it. The writer is ended by exactly one of
 * store_writer_commit() and store_writer_abort(), whatever comes between. An id is begun
 * once. */
enum err store_writer_open(struct store *s, const char *id,
			   struct store_writer **out,
			   struct errmsg *why) MUST_CHECK;

/* Append. After a failure only store_writer_abort() makes sense. */
enum err store_writer_write(struct store_writer *w, struct span bytes,
			    struct errmsg *why) MUST_CHECK;

/* Read what has been written so far, from byte `from` on: at most `cap` bytes
 * into `to`; *got is 0 behind its end. Writing may go on afterwards. */
enum err store_writer_read(struct store_writer *w, int64_t from, char *to,
			   size_t cap, size_t *got,
			   struct errmsg *why) MUST_CHECK;

/* Make it safe and visible, and hold it still; after a failure there is no such
 * object. The writer is gone either way. */
enum err store_writer_commit(struct store_writer *w,
			     struct errmsg *why) MUST_CHECK;

/* Forget what was written, and let go. NULL is fine. */
void store_writer_abort(struct store_writer *w);

/* Who has finished an object holds it until its row is written, or it is
 * removed again; then lets go. While it is held nobody may judge it by its
 * missing row. The end of the process lets go, too. */
void store_unlock(struct store *s, const char *id);

/* Whether another has begun `id` and not let go of it; true also when that
 * cannot be told. Does not see the holds of `s` itself. */
bool store_is_locked(struct store *s, const char *id);

/* Remove an object. */
enum err store_remove(struct store *s, const char *id,
		      struct errmsg *why) MUST_CHECK;

/* Read from byte `from` on. *size takes the object's whole length in bytes. */
enum err store_reader_open(struct store *s, const char *id, int64_t from,
			   struct store_reader **out, int64_t *size,
			   struct errmsg *why) MUST_CHECK;
/* At most `cap` bytes into `to`; *got is 0 at the end. */
enum err store_reader_read(struct store_reader *r, char *to, size_t cap,
			   size_t *got, struct errmsg *why) MUST_CHECK;
void store_reader_close(struct store_reader *r); /* NULL is fine */

/* What follows is read once, by nobody who would ask for it again soon: bytes
 * that were not in memory before do not stay there for it, where others' would
 * have to make room. */
void store_reader_no_cache(struct store_reader *r);

/* The object's absolute path, for a server that sends it by itself.
 * ERR_NOT_FOUND where the object, or any path to it, is not there. */
enum err store_path(struct store *s, const char *id,
		    char out[static STORE_PATH_MAX]) MUST_CHECK;

/* ERR_OK if something could be written now. */
enum err store_ready(struct store *s, struct errmsg *why) MUST_CHECK;

enum store_kind {
	STORE_OBJECT,	  /* finished */
	STORE_UNFINISHED, /* begun, and under way or left */
	STORE_FOREIGN,	  /* not ours: no name or no place that we give */
	STORE_UNREADABLE, /* something that could not be looked at, and whatever
			     is in it */
};

/* One thing in the store. */
struct store_item {
	enum store_kind kind;
	const char *id;	    /* of the last two: where it is, for a person */
	const char *why;    /* STORE_UNREADABLE: the reason */
	int64_t size;	    /* of the first two, in bytes */
	int64_t changed_at; /* of the first two, seconds since 1970: last
			       written or finished */
};

/* Every item, in no order; `each` may remove it. Any value of `each` but ERR_OK
 * ends the walk and is its result; what cannot be read does not end it. */
typedef enum err store_each_fn(void *arg, const struct store_item *item);
enum err store_each(struct store *s, store_each_fn *each, void *arg,
		    struct errmsg *why) MUST_CHECK;

/* Remove what was begun and left. */
enum err store_remove_unfinished(struct store *s, const char *id,
				 struct errmsg *why) MUST_CHECK;

void store_close(struct store *s); /* NULL is fine */

#endif
