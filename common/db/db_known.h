/* db_known.h - rows of the database that a process knows, because no program has
 * changed them since it read them.
 *
 * The programs of one machine announce their changes in a folder, CHANGES_DIR,
 * with one file (changes_file.h) for sessions and users, which cgi-auth and
 * auth-admin write, and one for files, which cgi-gateway and gateway-admin write.
 * A one-row table in the database names the file that is in force, "" if there
 * is none: then nothing is remembered. So programs that do not share a folder
 * find out:
 *
 *   - a service (a program that serves until it is stopped) writes the name of
 *     its file, or "" without a folder, at its first check;
 *   - each process checks the name when it is needed, at most once a second. A
 *     check counts for DB_KNOWN_CHECK_LIFE;
 *   - a process that makes changes and finds another name writes "", and makes
 *     no change before every other process has noticed. So does one that finds
 *     a name, or none, that is new. Then it checks again;
 *   - without a check that succeeded there is no change;
 *   - a service that writes its name announces a change of all rows first: no one
 *     has announced what was changed while the file was not in force;
 *   - a file counts only when it has been in force for that long.
 *
 * A service that has lost its place does not take it back before it is started
 * again, or two of them would take turns.
 */
#ifndef DB_KNOWN_H
#define DB_KNOWN_H

#include "common/db/db.h"
#include "common/db/row_memory.h"

enum {
	DB_KNOWN_CHECK_EVERY = 1000, /* milliseconds */
	DB_KNOWN_CHECK_LIFE = 2000,
	/* keys of one transaction; with more, it is announced as a change of
	 * all rows */
	DB_KNOWN_KEYS = 4,
};

/* Which rows; each has its own file and table. */
enum db_known_of { DB_KNOWN_SESSIONS, DB_KNOWN_FILES, DB_KNOWN_KINDS };

enum db_known_role {
	DB_KNOWN_SERVICE, /* changes rows, and makes the file */
	DB_KNOWN_TOOL,	  /* changes rows, and ends soon */
	DB_KNOWN_READER,  /* only reads them */
};

struct db_known_config {
	enum db_known_of of;
	enum db_known_role role;
	const char *dir; /* "": none */
	size_t row_size; /* of the rows to remember; 0: remember none */
};

/* Let `db` announce changes, or remember rows. Call after db_open(), at most
 * once for a kind, before other threads use `db`. ERR_CONFIG: the folder or the
 * file cannot be used. ERR_MEMORY. db_close() frees all of it. */
enum err db_known_open(struct db *db, const struct db_known_config *c,
		       struct errmsg *why) MUST_CHECK;

/* Whether a folder can be used, without changing anything; "" is fine. */
enum err db_known_check(const char *dir, struct errmsg *why) MUST_CHECK;

/* --- reading -------------------------------------------------------------- */

/* Find a row that nothing has changed since it was read. `key` is the text that
 * it is kept by. `row` may be written to in any case. */
bool db_known_find(struct db *db, enum db_known_of of, struct span key,
		   void *row);

/* Copy the row that was kept last, which may be out of date. */
bool db_known_last(struct db *db, enum db_known_of of, struct span key,
		   void *row);

/* Before the database is asked for a row: note that it may be remembered until
 * anything of the two keys changes. */
void db_known_note(struct db *db, enum db_known_of of, struct change_key a,
		   struct change_key b, struct row_note *out);

/* Remember the row. With the note of a process that may not remember, it is
 * kept for db_known_last() only. */
void db_known_keep(struct db *db, enum db_known_of of, struct span key,
		   const void *row, const struct row_note *note);

/* --- changes -------------------------------------------------------------- */

/* As db_change(), announced as a change of `key` in the file of `of`. */
#define db_change_of(db, of, key, sql, in, why) \
	db_change_of_(db, of, key, "" sql "", in, why)
enum err db_change_of_(struct db *db, enum db_known_of of,
		       struct change_key key, const char *sql, struct db_in in,
		       struct errmsg *why) MUST_CHECK;

/* As db_begin(), for a transaction with changes that are announced: first
 * check that other programs use the same file. */
enum err db_begin_change(struct db *db, struct db_conn **out,
			 struct errmsg *why) MUST_CHECK;

/* As db_tx_change(); db_commit() announces the change. */
#define db_tx_change_of(c, of, key, sql, in, why) \
	db_tx_change_of_(c, of, key, "" sql "", in, why)
enum err db_tx_change_of_(struct db_conn *c, enum db_known_of of,
			  struct change_key key, const char *sql,
			  struct db_in in, struct errmsg *why) MUST_CHECK;

/* Let every process forget all rows of a kind: they were changed by other means.
 * Returns after no process can use one. The errors of db_row(). */
enum err db_known_forget(struct db *db, enum db_known_of of,
			 struct errmsg *why) MUST_CHECK;

/* Return true once for each new reason why nothing is remembered although there
 * is a folder. Without a database: false. */
bool db_known_fault(struct db *db, struct errmsg *why);

#endif
