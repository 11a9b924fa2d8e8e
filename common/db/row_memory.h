/* row_memory.h - rows that this process remembers, each by a text and with the
 * note that says how long it is as good as the database (db_known.h).
 *
 * Bounded: at most ROW_MEMORY_MAX rows; in a set of a few, the one that was not
 * used for the longest time makes room. All calls are safe from many threads.
 */
#ifndef ROW_MEMORY_H
#define ROW_MEMORY_H

#include "common/base/span.h"
#include "common/changes/changes_file.h"

enum {
	ROW_MEMORY_MAX = 2048, /* rows */
	ROW_MEMORY_KEY = 40,   /* bytes; rows of longer keys are not kept */
};

struct row_memory;

struct row_note {
	const struct changes_file *file; /* NULL: the row may not be used */
	struct changes_note counters;
};

/* For rows of `size` bytes. NULL if there is no memory. */
struct row_memory *row_memory_new(size_t size);
void row_memory_free(struct row_memory *m); /* NULL is fine */

/* Copy a row and its note, whether the note still holds or not. False, and
 * nothing is written, if none was kept. */
bool row_memory_find(struct row_memory *m, struct span key, void *row,
		     struct row_note *note);
void row_memory_keep(struct row_memory *m, struct span key, const void *row,
		     const struct row_note *note);

#endif
