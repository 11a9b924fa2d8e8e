#include "common/base/worker_wait.h"
#include "common/db/db_conn.h"
#include "common/db/db_known_state.h"

#include <string.h>
#include <time.h>

/* The name in force, since when, and for how many seconds */
struct in_force {
	char id[CHANGES_ID + 1];
	int64_t since, age;
};

enum {
	/* Attempts to write a name while others write theirs */
	WRITES = 8,
};

int64_t db_known_clock(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- the name in force ---------------------------------------------------- */

static enum err read_name(struct db *db, enum db_known_of of,
			  struct in_force *out, struct errmsg *why)
{
	struct db_out fields =
		DB_OUT(db_to_text(out->id, sizeof(out->id)),
		       db_to_int(&out->since), db_to_int(&out->age));

	/* clang-format off */
	return of == DB_KNOWN_SESSIONS
		? db_row(db,
			"SELECT file, since, UNIX_TIMESTAMP() - since"
			"  FROM session_changes WHERE id = 1",
			DB_NONE, fields, why)
		: db_row(db,
			"SELECT file, since, UNIX_TIMESTAMP() - since"
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
	if (strcmp(changes_file_id(f), own_name(k)) == 0) {
		changes_file_close(f); /* the one that is open */
		return ERR_OK;
	}
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

/* Others may use rows by the name that was in force before, until they check
 * again */
static void wait_for_others(struct db_known *k)
{
	k->others_until = db_known_clock() + DB_KNOWN_CHECK_LIFE;
}

/* Note the name that was read; `own` if this process has just written it */
static void see_name(struct db_known *k, const struct in_force *now, bool own)
{
	if (k->seen_since == now->since && strcmp(k->seen, now->id) == 0)
		return;
	if (!own && now->age * 1000 <= DB_KNOWN_CHECK_LIFE)
		wait_for_others(k);
	memcpy(k->seen, now->id, sizeof(k->seen));
	k->seen_since = now->since;
}

/* Write the name that should be in force instead of `now`. ERR_NOT_FOUND:
 * another process was faster. */
static enum err dispute(struct db *db, struct db_known *k, bool takes,
			const struct in_force *now, struct errmsg *why)
{
	const char *to = takes ? own_name(k) : "";
	enum err e;

	/* Whatever was changed while the file was not in force, nobody has
	 * announced in it: what was noted before must not hold */
	if (takes) {
		changes_begin(atomic_load(&k->file), change_key_of_all());
		changes_end(atomic_load(&k->file), change_key_of_all());
	}
	e = write_name(db, k->config.of, now->id, to, why);
	if (e != ERR_OK)
		return e;
	if (now->id[0] != '\0')
		wait_for_others(k);
	if (takes)
		k->registered = true;
	else
		db_known_set_fault(
			k, "a program without this CHANGES_DIR, or with "
			   "another, changes the same database: nothing is "
			   "remembered until the services are started again");
	return ERR_OK;
}

/* Read the name, and if it is another than that of this process's file, replace
 * it */
static enum err settle_name(struct db *db, struct db_known *k,
			    struct in_force *now, struct errmsg *why)
{
	bool own = false;
	enum err e = ERR_NOT_FOUND;

	for (int i = 0; i < WRITES; i++) {
		bool takes =
			k->config.role == DB_KNOWN_SERVICE && !k->registered;

		e = read_name(db, k->config.of, now, why);
		if (e == ERR_NOT_FOUND) /* no row: nobody remembers */
			return ERR_OK;
		if (e != ERR_OK)
			return e;
		see_name(k, now, own);
		if (k->config.role == DB_KNOWN_READER ||
		    strcmp(now->id, own_name(k)) == 0 ||
		    (!takes && now->id[0] == '\0'))
			return ERR_OK;
		e = dispute(db, k, takes, now, why);
		if (e != ERR_OK && e != ERR_NOT_FOUND)
			return e;
		own = e == ERR_OK;
	}
	return err_set(why, ERR_UNAVAILABLE,
		       "the programs of several CHANGES_DIR start at once");
}

/* Call with the lock held. The result counts from when the check began. All
 * wait for it, so it is not within the share of the user of this thread. */
static enum err check(struct db *db, struct db_known *k, struct errmsg *why)
{
	int64_t begun = db_known_clock();
	struct in_force now = { "", 0, 0 };
	const uint64_t user = db_leave_share();
	enum err e = settle_name(db, k, &now, why);

	db_enter_share(user);
	if (e == ERR_OK && k->config.role == DB_KNOWN_READER &&
	    strcmp(now.id, own_name(k)) != 0)
		look_again(k, &now);
	if (e == ERR_OK)
		k->registered = true;
	else if (k->path[0] != '\0')
		db_known_set_fault(k, why->text);
	k->failed = e != ERR_OK;
	atomic_store(&k->good, e == ERR_OK && now.id[0] != '\0' &&
				       strcmp(now.id, own_name(k)) == 0 &&
				       now.age * 1000 > DB_KNOWN_CHECK_LIFE);
	atomic_store(&k->checked_at, begun);
	return e;
}

static bool is_due(struct db_known *k)
{
	return db_known_clock() - atomic_load(&k->checked_at) >=
	       DB_KNOWN_CHECK_EVERY;
}

/* Whether rows may be remembered and used now */
bool db_known_is_good(struct db *db, struct db_known *k)
{
	struct errmsg ignored = { "" };

	if (is_due(k) && pthread_mutex_trylock(&k->lock) == 0) {
		if (is_due(k))
			(void)!check(db, k, &ignored);
		(void)pthread_mutex_unlock(&k->lock);
	}
	return atomic_load(&k->good) &&
	       db_known_clock() - atomic_load(&k->checked_at) <
		       DB_KNOWN_CHECK_LIFE;
}

static void sleep_until(int64_t until)
{
	for (int64_t left; (left = until - db_known_clock()) > 0;) {
		const struct timespec t = { left / 1000,
					    left % 1000 * 1000000 };

		(void)nanosleep(&t, NULL);
	}
}

/* Whether there is nothing to wait for, seen without waiting */
static bool is_prepared(struct db_known *k)
{
	bool prepared;

	if (is_due(k) || pthread_mutex_trylock(&k->lock) != 0)
		return false;
	prepared =
		!k->failed && !is_due(k) && k->others_until <= db_known_clock();
	(void)pthread_mutex_unlock(&k->lock);
	return prepared;
}

static enum err prepare(struct db *db, struct db_known *k, struct errmsg *why)
{
	for (;;) {
		enum err e = ERR_OK;
		int64_t until;

		(void)pthread_mutex_lock(&k->lock);
		if (k->failed || is_due(k))
			e = check(db, k, why);
		until = k->others_until;
		(void)pthread_mutex_unlock(&k->lock);
		if (e != ERR_OK || until <= db_known_clock())
			return e;
		/* A service may have started meanwhile: check again */
		sleep_until(until);
	}
}

enum err db_known_prepare(struct db *db, struct db_known *k, struct errmsg *why)
{
	struct errmsg cause = { "" };
	enum err e;

	if (is_prepared(k))
		return ERR_OK;
	/* Who checks may wait for a connection, and those who wait for the lock
	 * must not have the slot that it needs then */
	worker_wait_begin();
	e = prepare(db, k, &cause);
	worker_wait_end();
	return e == ERR_OK ? e : err_set(why, e, "%s", cause.text);
}
