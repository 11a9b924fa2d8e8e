/* db_known_state.h - inside db: what db_known.c keeps of a kind of rows, and the
 * check of the file in force. Nothing outside db/ includes this. */
#ifndef DB_KNOWN_STATE_H
#define DB_KNOWN_STATE_H

#include "common/db/db_known.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
	DB_KNOWN_PATH = 4096,	 /* bytes */
	DB_KNOWN_FILES_MAX = 16, /* that a reader opens one after another */
};

struct db_known {
	struct db_known_config config;
	char path[DB_KNOWN_PATH];
	struct row_memory *rows; /* NULL: nothing is remembered */
	/* Unmapped at the end only: another thread may be using the one before */
	struct changes_file *files[DB_KNOWN_FILES_MAX];
	size_t file_count;
	_Atomic(struct changes_file *) file; /* the last of them, or NULL */

	pthread_mutex_t lock; /* of a check, and of what follows */
	bool registered;      /* a service has written its name */
	bool failed; /* the last check: there must be one before a change */
	int64_t others_until; /* others may not have noticed the name before */
	char seen[CHANGES_ID + 1]; /* the name that was read last */
	int64_t seen_since;	   /* its column */
	struct errmsg fault;
	atomic_bool fault_is_new;

	/* The last check; times are milliseconds of the monotonic clock */
	atomic_int_fast64_t checked_at;
	atomic_bool good;
};

/* Remember why nothing is remembered, for the log. */
void db_known_set_fault(struct db_known *k, const char *text);

/* Open k->path and use it from now on. The errors of changes_file_open(). */
enum err db_known_open_file(struct db_known *k, enum changes_access access,
			    struct errmsg *why) MUST_CHECK;

/* Whether rows may be remembered and used now: checks, if the last time is too
 * long ago. */
bool db_known_is_good(struct db *db, struct db_known *k);

/* Before a change: the check is recent, and nobody uses rows by another name. If
 * that cannot be known, the change must not be made: the errors of db_row(). */
enum err db_known_prepare(struct db *db, struct db_known *k,
			  struct errmsg *why) MUST_CHECK;

int64_t db_known_clock(void); /* milliseconds of the monotonic clock */

#endif
