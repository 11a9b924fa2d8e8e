/* store.h - stores the bytes of files; the implementation is a setting.
 *
 * An object has an id (a UUID of ours, never a client's text), is written once
 * from front to end, and never changes. Readers find it after
 * store_writer_commit() has returned ERR_OK, which guarantees that the object
 * survives a crash and a loss of power.
 *
 * The program chooses an implementation when it starts; store_ops.h defines
 * what one provides. A store can be used by many threads, a writer or a reader
 * by one. Every call may return:
 *
 *   ERR_FULL         no space left
 *   ERR_NOT_FOUND    no such object
 *   ERR_UNAVAILABLE  the store is unavailable; a later try may succeed
 *   ERR_MEMORY       out of memory
 *   ERR_IO           anything else; `why` has the reason for the operator
 */
#ifndef STORE_H
#define STORE_H

#include "common/base/err.h"
#include "common/base/span.h"
#include "common/codec/ident.h"

enum {
	STORE_PATH_MAX = 4096, /* bytes of a path, with its NUL */
	STORE_TAIL = 39,       /* bytes of "aa/<id>", where a path ends */
};

struct store;
struct store_writer; /* of one object */
struct store_reader; /* of one object */

void store_close(struct store *s); /* NULL is fine */

/* Return ERR_OK if an object could be written now. */
enum err store_ready(struct store *s, struct errmsg *why) MUST_CHECK;

/* Return how small objects become durable, for the log: a static string; "" if
 * the store has only one way. */
const char *store_method(struct store *s);

/* --- writing -------------------------------------------------------------- */

/* Lock `id` and open a writer of a new object. Close the writer by exactly one
 * of store_writer_commit() and store_writer_abort(). An id is used once: if
 * another writer has it, or has committed it, this call returns ERR_IO, or the
 * first one that needs a file does. */
enum err store_writer_open(struct store *s, const char *id,
			   struct store_writer **out,
			   struct errmsg *why) MUST_CHECK;

/* Append. After a failure, only call store_writer_abort(). */
enum err store_writer_write(struct store_writer *w, struct span bytes,
			    struct errmsg *why) MUST_CHECK;

/* Read back at most `cap` bytes of what was written, from byte `from` on; *got
 * is 0 at its end. The writer can continue afterwards. */
enum err store_writer_read(struct store_writer *w, int64_t from, char *to,
			   size_t cap, size_t *got,
			   struct errmsg *why) MUST_CHECK;

/* Make the object durable, then visible, and close the writer. The id stays
 * locked. After a failure there is no object, and the id is unlocked. */
enum err store_writer_commit(struct store_writer *w,
			     struct errmsg *why) MUST_CHECK;

/* Discard what was written, unlock the id and close the writer. NULL is fine.
 */
void store_writer_abort(struct store_writer *w);

/* --- locks ---------------------------------------------------------------- */

/* A writer keeps its object locked until its row is committed or the object is
 * removed, so that gc does not remove it as one without a row. A lock also ends
 * with the process. */
void store_unlock(struct store *s, const char *id);

/* Whether another process, or another store of this one, has locked `id`; also
 * true if that cannot be determined. Locks of `s` itself do not count. */
bool store_is_locked(struct store *s, const char *id);

/* --- finished objects ----------------------------------------------------- */

/* Return ERR_OK if the object exists. */
enum err store_exists(struct store *s, const char *id,
		      struct errmsg *why) MUST_CHECK;

enum err store_remove(struct store *s, const char *id,
		      struct errmsg *why) MUST_CHECK;

/* Open a reader at byte `from`. *size is the length of the whole object. */
enum err store_reader_open(struct store *s, const char *id, int64_t from,
			   struct store_reader **out, int64_t *size,
			   struct errmsg *why) MUST_CHECK;
/* Read at most `cap` bytes into `to`; *got is 0 at the end. */
enum err store_reader_read(struct store_reader *r, char *to, size_t cap,
			   size_t *got, struct errmsg *why) MUST_CHECK;
void store_reader_close(struct store_reader *r); /* NULL is fine */

/* Keep what this reader reads out of the page cache, so that a scan does not
 * evict hot files. */
void store_reader_no_cache(struct store_reader *r);

/* Return the object's absolute path, for a server that sends the file itself.
 * Its last STORE_TAIL bytes, "aa/<id>", name the object below an address that
 * the server maps to all objects.
 *
 *   ERR_NOT_FOUND  no such object, or no path to it
 *   ERR_METHOD     this store has no paths; read the object instead */
enum err store_path(struct store *s, const char *id,
		    char out[static STORE_PATH_MAX]) MUST_CHECK;

/* --- everything in it ----------------------------------------------------- */

enum store_kind {
	STORE_OBJECT,	  /* finished */
	STORE_UNFINISHED, /* being written, or left by a process that ended */
	STORE_FOREIGN,	  /* not ours: an unknown name or place */
	STORE_UNREADABLE, /* could not be read, nor any contents */
};

struct store_item {
	enum store_kind kind;
	/* FOREIGN and UNREADABLE: its place, for the operator */
	const char *id;
	const char *why; /* UNREADABLE: the reason */
	/* OBJECT and UNFINISHED only: bytes; time of the last write or of
	 * finishing, in seconds since 1970 */
	int64_t size;
	int64_t changed_at;
};

/* Call `each` for every item, in no particular order; it may remove the item.
 * If `each` returns anything but ERR_OK, the walk stops and returns that. An
 * item that cannot be read does not stop the walk. */
typedef enum err store_walk_fn(void *arg, const struct store_item *item);
enum err store_walk(struct store *s, store_walk_fn *each, void *arg,
		    struct errmsg *why) MUST_CHECK;

#endif
