#include "common/db/db_conn.h"
#include "common/db/db_known_state.h"

#include <stdlib.h>
#include <unistd.h>

/* --- opening -------------------------------------------------------------- */

static const char *const names[DB_KNOWN_KINDS] = { "changed-sessions",
						   "changed-files" };

static enum err open_own(struct db_known *k, struct errmsg *why)
{
	static const enum changes_access access[] = {
		[DB_KNOWN_SERVICE] = CHANGES_CREATE,
		[DB_KNOWN_TOOL] = CHANGES_WRITE,
		[DB_KNOWN_READER] = CHANGES_READ,
	};
	enum err e;
	int n;

	if (k->config.dir[0] == '\0')
		return ERR_OK;
	n = snprintf(k->path, sizeof(k->path), "%s/%s", k->config.dir,
		     names[k->config.of]);
	if (n < 0 || (size_t)n >= sizeof(k->path))
		return err_set(why, ERR_CONFIG,
			       "CHANGES_DIR: the path is too long");
	e = db_known_open_file(k, access[k->config.role], why);
	/* Without the file of a service there is nothing to announce; a reader
	 * looks again, and asks the database meanwhile */
	if (e == ERR_CONFIG && k->config.role == DB_KNOWN_READER) {
		db_known_set_fault(k, why != NULL ? why->text : err_text(e));
		return ERR_OK;
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err db_known_open(struct db *db, const struct db_known_config *c,
		       struct errmsg *why)
{
	struct db_known *k = calloc(1, sizeof(*k));
	enum err e;

	if (k == NULL)
		return err_set(why, ERR_MEMORY, "out of memory");
	k->config = *c;
	(void)pthread_mutex_init(&k->lock, NULL);
	atomic_store(&k->checked_at, db_known_clock() - DB_KNOWN_CHECK_LIFE);
	e = open_own(k, why);
	k->config.dir = ""; /* the caller's */
	if (e == ERR_OK && k->path[0] != '\0' && c->row_size > 0)
		k->rows = row_memory_new(c->row_size);
	if (e != ERR_OK)
		db_known_free(k);
	else
		*db_known_of(db, c->of) = k;
	return e;
}

void db_known_free(struct db_known *k)
{
	if (k == NULL)
		return;
	for (size_t i = 0; i < k->file_count; i++)
		changes_file_close(k->files[i]);
	row_memory_free(k->rows);
	(void)pthread_mutex_destroy(&k->lock);
	free(k);
}

enum err db_known_check(const char *dir, struct errmsg *why)
{
	if (dir[0] == '\0' || access(dir, W_OK | X_OK) == 0)
		return ERR_OK;
	return err_set(why, ERR_CONFIG,
		       "CHANGES_DIR: %s must be a folder that this user can "
		       "write to",
		       dir);
}

bool db_known_fault(struct db *db, struct errmsg *why)
{
	bool is_new = false;

	for (int of = 0; db != NULL && of < DB_KNOWN_KINDS && !is_new; of++) {
		struct db_known *k = *db_known_of(db, (enum db_known_of)of);

		if (k == NULL || !atomic_load(&k->fault_is_new))
			continue;
		(void)pthread_mutex_lock(&k->lock);
		is_new = atomic_exchange(&k->fault_is_new, false);
		if (is_new)
			*why = k->fault;
		(void)pthread_mutex_unlock(&k->lock);
	}
	return is_new;
}

/* --- reading -------------------------------------------------------------- */

/* NULL if this process remembers nothing */
static struct db_known *remembering(struct db *db, enum db_known_of of)
{
	struct db_known *k = *db_known_of(db, of);

	return k != NULL && k->rows != NULL ? k : NULL;
}

bool db_known_find(struct db *db, enum db_known_of of, struct span key,
		   void *row)
{
	struct db_known *k = remembering(db, of);
	struct row_note note = { .file = NULL };

	return k != NULL && db_known_is_good(db, k) &&
	       row_memory_find(k->rows, key, row, &note) && note.file != NULL &&
	       note.file == atomic_load(&k->file) &&
	       changes_note_holds(note.file, &note.counters);
}

bool db_known_last(struct db *db, enum db_known_of of, struct span key,
		   void *row)
{
	struct db_known *k = remembering(db, of);
	struct row_note note;

	return k != NULL && row_memory_find(k->rows, key, row, &note);
}

void db_known_note(struct db *db, enum db_known_of of, struct change_key a,
		   struct change_key b, struct row_note *out)
{
	struct db_known *k = remembering(db, of);

	*out = (struct row_note) { .file = NULL };
	if (k == NULL || !db_known_is_good(db, k))
		return;
	out->file = atomic_load(&k->file);
	if (out->file != NULL && !changes_note(out->file, a, b, &out->counters))
		out->file = NULL;
}

void db_known_keep(struct db *db, enum db_known_of of, struct span key,
		   const void *row, const struct row_note *note)
{
	struct db_known *k = remembering(db, of);

	if (k != NULL)
		row_memory_keep(k->rows, key, row, note);
}

/* --- changes -------------------------------------------------------------- */

/* *out is NULL if there is none */
static enum err ready_file(struct db *db, enum db_known_of of,
			   struct changes_file **out, struct errmsg *why)
{
	struct db_known *k = *db_known_of(db, of);
	enum err e = k != NULL ? db_known_prepare(db, k, why) : ERR_OK;

	*out = k != NULL ? atomic_load(&k->file) : NULL;
	return e;
}

enum err db_change_of_(struct db *db, enum db_known_of of,
		       struct change_key key, const char *sql, struct db_in in,
		       struct errmsg *why)
{
	struct changes_file *file;
	struct db_conn *c;
	enum err e = ready_file(db, of, &file, why);

	if (e == ERR_OK)
		e = db_take(db, &c, why);
	if (e != ERR_OK)
		return e;
	changes_begin(file, key);
	e = db_conn_change(c, sql, in, why);
	/* If the connection broke, the server may still commit: never ended */
	if (!c->broken)
		changes_end(file, key);
	db_give(c);
	return e;
}

enum err db_begin_change(struct db *db, struct db_conn **out,
			 struct errmsg *why)
{
	enum err e = ERR_OK;

	for (int of = 0; of < DB_KNOWN_KINDS && e == ERR_OK; of++) {
		struct db_known *k = *db_known_of(db, (enum db_known_of)of);

		if (k != NULL && k->config.role != DB_KNOWN_READER)
			e = db_known_prepare(db, k, why);
	}
	return e == ERR_OK ? db_begin(db, out, why) : e;
}

enum err db_tx_change_of_(struct db_conn *c, enum db_known_of of,
			  struct change_key key, const char *sql,
			  struct db_in in, struct errmsg *why)
{
	struct db_known *k = *db_known_of(c->db, of);

	c->changes = k != NULL ? atomic_load(&k->file) : NULL;
	if (c->key_count < DB_KNOWN_KEYS)
		c->keys[c->key_count++] = key;
	else
		c->keys[0] = change_key_of_all();
	return db_conn_change(c, sql, in, why);
}

enum err db_known_forget(struct db *db, enum db_known_of of, struct errmsg *why)
{
	struct changes_file *file;
	enum err e = ready_file(db, of, &file, why);

	if (e != ERR_OK)
		return e;
	changes_begin(file, change_key_of_all());
	changes_end(file, change_key_of_all());
	return ERR_OK;
}
