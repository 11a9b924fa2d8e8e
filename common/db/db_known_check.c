#include "common/db/db_known_state.h"

#include <string.h>
#include <time.h>

/* The name in force, and for how many seconds */
struct in_force {
	char id[CHANGES_ID + 1];
	int64_t age;
};

int64_t db_known_clock(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- the name in force ---------------------------------------------------- */

enum err db_known_read_name(struct db *db, enum db_known_of of,
			    char id[static CHANGES_ID + 1], int64_t *age,
			    struct errmsg *why)
{
	struct db_out fields =
		DB_OUT(db_to_text(id, CHANGES_ID + 1), db_to_int(age));

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

void db_known_set_fault(struct db_known *k, const char *text)
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

enum err db_known_open_file(struct db_known *k, enum changes_access access,
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

	if (now->id[0] == '\0' || k->file_count == DB_KNOWN_FILES_MAX ||
	    k->path[0] == '\0')
		return;
	if (db_known_open_file(k, CHANGES_READ, &why) == ERR_CONFIG)
		db_known_set_fault(k, why.text);
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
		k->others_until = db_known_clock() + DB_KNOWN_CHECK_LIFE;
	if (!takes)
		db_known_set_fault(
			k, "a program without this CHANGES_DIR, or with "
			   "another, changes the same database: nothing is "
			   "remembered until the services are started again");
	(void)snprintf(now->id, sizeof(now->id), "%s", to);
	now->age = 0;
	return ERR_OK;
}

/* Call with the lock held. The result counts from when the check began. */
static void check(struct db *db, struct db_known *k)
{
	int64_t begun = db_known_clock();
	struct in_force now = { "", 0 };
	struct errmsg why = { "" };
	enum err e =
		db_known_read_name(db, k->config.of, now.id, &now.age, &why);

	if (e == ERR_OK && strcmp(now.id, own_name(k)) != 0) {
		if (k->config.role == DB_KNOWN_READER)
			look_again(k, &now);
		else
			e = dispute(db, k, &now, &why);
	}
	if (e == ERR_OK)
		k->registered = true;
	else if (k->path[0] != '\0')
		db_known_set_fault(k, why.text);
	atomic_store(&k->good, e == ERR_OK && now.id[0] != '\0' &&
				       strcmp(now.id, own_name(k)) == 0 &&
				       now.age * 1000 > DB_KNOWN_CHECK_LIFE);
	atomic_store(&k->checked_at, begun);
}

/* Whether rows may be remembered and used now */
bool db_known_is_good(struct db *db, struct db_known *k)
{
	int64_t now = db_known_clock();

	if (now - atomic_load(&k->checked_at) >= DB_KNOWN_CHECK_EVERY &&
	    pthread_mutex_trylock(&k->lock) == 0) {
		if (now - atomic_load(&k->checked_at) >= DB_KNOWN_CHECK_EVERY)
			check(db, k);
		(void)pthread_mutex_unlock(&k->lock);
		now = db_known_clock();
	}
	return atomic_load(&k->good) &&
	       now - atomic_load(&k->checked_at) < DB_KNOWN_CHECK_LIFE;
}

static void sleep_until(int64_t until)
{
	for (int64_t left; (left = until - db_known_clock()) > 0;) {
		const struct timespec t = { left / 1000,
					    left % 1000 * 1000000 };

		(void)nanosleep(&t, NULL);
	}
}

/* Before a change: the check is recent, and nobody uses rows by another name */
void db_known_prepare(struct db *db, struct db_known *k)
{
	int64_t until;

	(void)pthread_mutex_lock(&k->lock);
	if (db_known_clock() - atomic_load(&k->checked_at) >=
	    DB_KNOWN_CHECK_EVERY)
		check(db, k);
	until = k->others_until;
	(void)pthread_mutex_unlock(&k->lock);
	sleep_until(until);
}
