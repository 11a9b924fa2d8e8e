/* changes_file.h - a small mapped file by which the programs of one machine see
 * that rows of the database have changed, so that each can remember rows.
 *
 * The file is an array of counters. The hash of what a row is found by (a
 * change_key) chooses one, so that a few unrelated keys share each.
 *
 *   a reader  notes the counter, then asks the database, and remembers the row
 *             with the note. The row may be used while the note holds.
 *   a writer  begins the change before the database can commit it, and ends it
 *             after the commit, before the response is sent. From the
 *             beginning on no earlier note holds, and until the end no new
 *             one can be made.
 *
 * So a row that is used is as new as if the database had been asked. A change
 * that never ends (the writer was killed, or its connection broke and it is
 * unknown whether the server commits) leaves its counter unusable: rows of these
 * keys are asked for each time, until the file is a new one. Nothing has to be
 * cleaned up, and nothing waits.
 *
 * All calls are safe from many threads and processes. See
 * docs/decisions/0042-changes-are-announced-in-a-file.md.
 */
#ifndef CHANGES_FILE_H
#define CHANGES_FILE_H

#include "common/base/err.h"
#include "common/base/span.h"

#include <stdint.h>

enum {
	CHANGES_COUNTERS =
		16384,	 /* of 8 bytes; the first is that of all keys */
	CHANGES_ID = 32, /* hex digits that identify a file */
};

struct changes_file;

enum changes_access {
	CHANGES_CREATE, /* announce changes; make the file if it is missing */
	CHANGES_WRITE,	/* announce changes */
	CHANGES_READ,	/* make notes only */
};

/* Open and map the file `path`. With a right to write, it must belong to this
 * user, unless that is root.
 *
 *   ERR_NOT_FOUND  there is none
 *   ERR_CONFIG     it is no such file, or another user's, or cannot be made */
enum err changes_file_open(const char *path, enum changes_access access,
			   struct changes_file **out,
			   struct errmsg *why) MUST_CHECK;
void changes_file_close(struct changes_file *f); /* NULL is fine */

/* Random hex digits that no other file has. */
const char *changes_file_id(const struct changes_file *f);

/* What a row is found by. */
struct change_key {
	uint64_t hash;
};

struct change_key change_key_of_text(struct span id);
struct change_key change_key_of_number(uint64_t id);
/* Every row, for the end of `changed` commands */
struct change_key change_key_of_all(void);

/* Begin and end a change of the rows with that key. NULL is fine for `f`. */
void changes_begin(struct changes_file *f, struct change_key key);
void changes_end(struct changes_file *f, struct change_key key);

enum { CHANGES_NOTE_KEYS = 2 };

struct changes_note {
	struct change_key keys[CHANGES_NOTE_KEYS];
	uint64_t seen[CHANGES_NOTE_KEYS + 1]; /* the last: of all keys */
};

/* Note the counters of two keys, which may be the same. False if one of them is
 * being changed, or is unusable: do not remember. */
bool changes_note(const struct changes_file *f, struct change_key a,
		  struct change_key b, struct changes_note *out);

/* Whether nothing with these keys has begun to change since. */
bool changes_note_holds(const struct changes_file *f,
			const struct changes_note *n);

#endif
