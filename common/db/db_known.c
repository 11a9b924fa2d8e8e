#include "common/db/db_known.h"

#include "common/db/db_conn.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	PATH_MAX_HERE = 4096,
	FILES_MAX = 16, /* files that a reader opens one after another */
};

/* The name in force, and for how many seconds */
struct in_force {
	char id[CHANGES_ID + 1];
	int64_t age;
};

struct db_known {
	struct db_known_config config;
	char path[PATH_MAX_HERE];
	struct row_memory *rows; /* NULL: nothing is remembered */
	/* Unmapped at the end only: another thread may be using the one before */
	struct changes_file *files[FILES_MAX];
	size_t file_count;
	_Atomic(struct changes_file *) file; /* the last of them, or NULL */

	pthread_mutex_t lock; /* of a check, and of what follows */
	bool registered;      /* a service has written its name */
	int64_t others_until; /* others may not have noticed "" before */
	struct errmsg fault;
	atomic_bool fault_is_new;

	/* The last check; times are milliseconds of the monotonic clock */
	atomic_int_fast64_t checked_at;
	atomic_bool good;
};

static int64_t clock_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- the name in force ---------------------------------------------------- */

static enum err read_name(struct db *db, enum db_known_of of,
			  struct in_force *out, struct errmsg *why)
{
	struct db_out fields = DB_OUT(db_to_text(out->id, sizeof(out->id)),
				      db_to_int(&out->age));

	/* clang-format off */
	return of == DB_KNOWN_SESSIONS
		? db_row(db,
			"SELECT file, UNIX_TIMESTAMP() - since"
			"  FROM session_changes WHERE id = 1",
			DB_NONE, fields, why)
		: db_row(db,
			"SELECT file, UNIX_TIMESTAMP() - since"
			"  FROM file_changes WHERE id = 1",
			DB_NONE, fields, why);
	/* clang-format on */
}

/* Replace the name, if it is still `was` */
static enum err write_name(struct db *db, enum db_known_of of, const char *was,
			   const char *to, struct errmsg *why)
{
	struct db_in in = DB_IN(db_text(span_of(to)), db_text(span_of(was)));

	/* clang-format off */
	return of == DB_KNOWN_SESSIONS
		? db_change(db,
			"UPDATE session_changes"
			"   SET file = ?, since = UNIX_TIMESTAMP()"
			" WHERE id = 1 AND file = ?", in, why)
		: db_change(db,
			"UPDATE file_changes"
			"   SET file = ?, since = UNIX_TIMESTAMP()"
			" WHERE id = 1 AND file = ?", in, why);
	/* clang-format on */
}

static void set_fault(struct db_known *k, const char *text)
{
	if (strcmp(k->fault.text, text) != 0)
		atomic_store(&k->fault_is_new, true);
	err_fill(&k->fault, "%s", text);
}

static const char *own_name(struct db_known *k)
{
	const struct changes_file *f = atomic_load(&k->file);

	return f != NULL ? changes_file_id(f) : "";
}

/* --- one check ------------------------------------------------------------ */

static enum err open_file(struct db_known *k, enum changes_access access,
			  struct errmsg *why)
{
	struct changes_file *f = NULL;
	enum err e = changes_file_open(k->path, access, &f, why);

	if (e != ERR_OK)
		return e;
	k->files[k->file_count++] = f;
	atomic_store(&k->file, f);
	return ERR_OK;
}

/* The file of the writers may be made, or made anew, after the reader began */
static void look_again(struct db_known *k, const struct in_force *now)
{
	struct errmsg why = { "" };

	if (now->id[0] == '\0' || k->file_count == FILES_MAX ||
	    k->path[0] == '\0')
		return;
	if (open_file(k, CHANGES_READ, &why) == ERR_CONFIG)
		set_fault(k, why.text);
}

/* What a process that makes changes does if another name is in force than that
 * of its file */
static enum err dispute(struct db *db, struct db_known *k, struct in_force *now,
			struct errmsg *why)
{
	bool takes = k->config.role == DB_KNOWN_SERVICE && !k->registered;
	const char *to = takes ? own_name(k) : "";
	enum err e;

	if (!takes && now->id[0] == '\0')
		return ERR_OK;
	e = write_name(db, k->config.of, now->id, to, why);
	if (e != ERR_OK)
		return e;
	if (now->id[0] != '\0')
		k->others_until = clock_ms() + DB_KNOWN_CHECK_LIFE;
	if (!takes)
		set_fault(k, "a program without this CHANGES_DIR, or with "
			     "another, changes the same database: nothing is "
			     "remembered until the services are started again");
	(void)snprintf(now->id, sizeof(now->id), "%s", to);
	now->age = 0;
	return ERR_OK;
}

/* Call with the lock held. The result counts from when the check began. */
static void check(struct db *db, struct db_known *k)
{
	int64_t begun = clock_ms();
	struct in_force now = { "", 0 };
	struct errmsg why = { "" };
	enum err e = read_name(db, k->config.of, &now, &why);

	if (e == ERR_OK && strcmp(now.id, own_name(k)) != 0) {
		if (k->config.role == DB_KNOWN_READER)
			look_again(k, &now);
		else
			e = dispute(db, k, &now, &why);
	}
	if (e == ERR_OK)
		k->registered = true;
	else if (k->path[0] != '\0')
		set_fault(k, why.text);
	atomic_store(&k->good, e == ERR_OK && now.id[0] != '\0' &&
				       strcmp(now.id, own_name(k)) == 0 &&
				       now.age * 1000 > DB_KNOWN_CHECK_LIFE);
	atomic_store(&k->checked_at, begun);
}

/* Whether rows may be remembered and used now */
static bool is_good(struct db *db, struct db_known *k)
{
	int64_t now = clock_ms();

	if (now - atomic_load(&k->checked_at) >= DB_KNOWN_CHECK_EVERY &&
	    pthread_mutex_trylock(&k->lock) == 0) {
		if (now - atomic_load(&k->checked_at) >= DB_KNOWN_CHECK_EVERY)
			check(db, k);
		(void)pthread_mutex_unlock(&k->lock);
		now = clock_ms();
	}
	return atomic_load(&k->good) &&
	       now - atomic_load(&k->checked_at) < DB_KNOWN_CHECK_LIFE;
}

static void sleep_until(int64_t until)
{
	for (int64_t left; (left = until - clock_ms()) > 0;) {
		const struct timespec t = { left / 1000,
					    left % 1000 * 1000000 };

		(void)nanosleep(&t, NULL);
	}
}

/* Before a change: the check is recent, and nobody uses rows by another name */
static void get_ready(struct db *db, struct db_known *k)
{
	int64_t until;

	(void)pthread_mutex_lock(&k->lock);
	if (clock_ms() - atomic_load(&k->checked_at) >= DB_KNOWN_CHECK_EVERY)
		check(db, k);
	until = k->others_until;
	(void)pthread_mutex_unlock(&k->lock);
	sleep_until(until);
}

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
	e = open_file(k, access[k->config.role], why);
	/* Without the file of a service there is nothing to announce; a reader
	 * looks again, and asks the database meanwhile */
	if (e == ERR_CONFIG && k->config.role == DB_KNOWN_READER) {
		set_fault(k, why != NULL ? why->text : err_text(e));
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
	atomic_store(&k->checked_at, clock_ms() - DB_KNOWN_CHECK_LIFE);
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

	for (int of = 0; of < DB_KNOWN_KINDS && !is_new; of++) {
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

	return k != NULL && is_good(db, k) &&
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
	if (k == NULL || !is_good(db, k))
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

static struct changes_file *ready_file(struct db *db, enum db_known_of of)
{
	struct db_known *k = *db_known_of(db, of);

	if (k == NULL)
		return NULL;
	get_ready(db, k);
	return atomic_load(&k->file);
}

enum err db_change_of_(struct db *db, enum db_known_of of,
		       struct change_key key, const char *sql, struct db_in in,
		       struct errmsg *why)
{
	struct changes_file *file = ready_file(db, of);
	struct db_conn *c;
	enum err e = db_take(db, &c, why);

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

void db_known_get_ready(struct db *db)
{
	for (int of = 0; of < DB_KNOWN_KINDS; of++) {
		struct db_known *k = *db_known_of(db, (enum db_known_of)of);

		if (k != NULL && k->config.role != DB_KNOWN_READER)
			get_ready(db, k);
	}
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
	struct changes_file *file = ready_file(db, of);
	struct in_force now = { "", 0 };

	changes_begin(file, change_key_of_all());
	changes_end(file, change_key_of_all());
	/* Whether the check succeeded: without it nothing is certain */
	return read_name(db, of, &now, why);
}
