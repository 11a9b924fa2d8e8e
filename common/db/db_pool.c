#include "common/base/worker_wait.h"
#include "common/db/db_conn.h"
#include "common/db/db_share.h"

#include <nss.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct db {
	struct db_server server;
	size_t max;
	struct metrics *metrics; /* borrowed */

	pthread_mutex_t lock;
	pthread_cond_t given;
	struct db_conn *idle; /* last in, first out: caches are warm */
	size_t open;	      /* connections in the pool or in use */
	struct db_shares shares;
	struct db_known *known[DB_KNOWN_KINDS];
};

/* The user of this thread, and the connections that it holds: it does not wait
 * for its own */
static _Thread_local uint64_t acting_for;
static _Thread_local unsigned holding;

void db_act_for(uint64_t user)
{
	acting_for = user;
	worker_act_for(user);
}

uint64_t db_leave_share(void)
{
	const uint64_t user = acting_for;

	acting_for = 0;
	return user;
}

void db_enter_share(uint64_t user)
{
	acting_for = user;
}

enum err db_open(const struct db_config *c, struct db **out, struct errmsg *why)
{
	struct db *db = calloc(1, sizeof(*db));
	pthread_condattr_t attr;

	/* The library looks for its port in the databases of services, although
	 * the connection names the port. With Debian's nsswitch.conf, that loads a
	 * library from some 40 folders: a third of the start of a CGI process
	 */
	(void)__nss_configure_lookup("services", "files");
	/* The implicit call in the first mysql_init() is not thread-safe */
	if (db == NULL || mysql_library_init(0, NULL, NULL) != 0) {
		free(db);
		return err_set(why, ERR_MEMORY,
			       "the MySQL client library could not start");
	}
	if (db_server_init(&db->server, c) != ERR_OK) {
		db_server_release(&db->server);
		free(db);
		mysql_library_end();
		return err_set(why, ERR_MEMORY, "out of memory");
	}
	db->max = (size_t)c->pool;
	db_shares_init(&db->shares, db->max);
	db->metrics = c->metrics;
	metrics_move(db->metrics, METRICS_DB_LIMIT, c->pool);
	(void)pthread_mutex_init(&db->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&db->given, &attr);
	(void)pthread_condattr_destroy(&attr);
	*out = db;
	return ERR_OK;
}

void db_close(struct db *db)
{
	if (db == NULL)
		return;
	while (db->idle != NULL) {
		struct db_conn *next = db->idle->next;

		db_conn_close(db->idle);
		db->idle = next;
	}
	for (int of = 0; of < DB_KNOWN_KINDS; of++)
		db_known_free(db->known[of]);
	(void)pthread_cond_destroy(&db->given);
	(void)pthread_mutex_destroy(&db->lock);
	db_shares_release(&db->shares);
	db_server_release(&db->server);
	free(db);
	mysql_library_end();
}

struct db_known **db_known_of(struct db *db, enum db_known_of of)
{
	return &db->known[of];
}

void db_thread_end(void)
{
	mysql_thread_end();
}

/* Take an idle connection, or a place for a new one (*out is NULL), waiting
 * until `until`; the caller has locked the pool */
static enum err take_place(struct db *db, const struct timespec *until,
			   struct db_conn **out, struct errmsg *why)
{
	int waited = 0;

	while (db->idle == NULL && db->open == db->max && waited == 0)
		waited = pthread_cond_timedwait(&db->given, &db->lock, until);
	*out = db->idle;
	if (db->idle != NULL) {
		db->idle = db->idle->next;
	} else if (db->open < db->max) {
		db->open++;
		metrics_move(db->metrics, METRICS_DB_OPEN, 1);
	} else {
		return err_set(why, ERR_UNAVAILABLE,
			       "all %zu database connections were in use until "
			       "the timeout (DB_POOL, DB_TIMEOUT)",
			       db->max);
	}
	return ERR_OK;
}

/* The same, within the user's share. ERR_UNAVAILABLE, ERR_OVERLOADED: all are
 * in use until the timeout. */
static enum err reserve(struct db *db, struct db_conn **out,
			struct db_share **share, struct errmsg *why)
{
	bool shares = acting_for != 0 && holding == 0, waits;
	struct timespec until;
	enum err e = ERR_OK;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += db->server.timeout;
	(void)pthread_mutex_lock(&db->lock);
	waits = holding == 0 &&
		((db->idle == NULL && db->open == db->max) ||
		 (shares && db_share_is_used_up(&db->shares, acting_for)));
	if (waits)
		worker_wait_begin();
	if (shares)
		e = db_share_take(&db->shares, acting_for, &db->lock, &until,
				  share, why);
	if (e == ERR_OK)
		e = take_place(db, &until, out, why);
	if (e != ERR_OK && *share != NULL)
		db_share_give(&db->shares, *share);
	(void)pthread_mutex_unlock(&db->lock);
	if (waits)
		worker_wait_end();
	if (e == ERR_OK)
		metrics_move(db->metrics, METRICS_DB_USED, 1);
	else
		metrics_add(db->metrics, METRICS_DB_BUSY, 1);
	return e;
}

static void unreserve(struct db *db, struct db_share *share)
{
	metrics_move(db->metrics, METRICS_DB_USED, -1);
	metrics_move(db->metrics, METRICS_DB_OPEN, -1);
	(void)pthread_mutex_lock(&db->lock);
	if (share != NULL)
		db_share_give(&db->shares, share);
	db->open--;
	(void)pthread_cond_signal(&db->given);
	(void)pthread_mutex_unlock(&db->lock);
}

/* As db_take(), with ERR_CONFIG if TLS was refused */
static enum err take(struct db *db, struct db_conn **out, struct errmsg *why)
{
	struct db_share *share = NULL;
	struct db_conn *c = NULL;
	enum err e = reserve(db, &c, &share, why);

	if (e != ERR_OK)
		return e;
	if (c != NULL && db_conn_is_alive(c)) {
		c->share = share;
		holding++;
		*out = c;
		return ERR_OK;
	}
	/* The slot in the pool stays reserved while the connection is replaced
	 */
	if (c != NULL)
		db_conn_close(c);
	e = db_conn_open(&db->server, &c, why);
	if (e != ERR_OK) {
		metrics_add(db->metrics, METRICS_DB_CONNECT_FAILED, 1);
		unreserve(db, share);
		return e;
	}
	holding++;
	c->share = share;
	c->db = db;
	c->metrics = db->metrics;
	*out = c;
	return ERR_OK;
}

enum err db_take(struct db *db, struct db_conn **out, struct errmsg *why)
{
	enum err e = take(db, out, why);

	return e == ERR_CONFIG ? ERR_UNAVAILABLE : e;
}

void db_give(struct db_conn *c)
{
	struct db *db = c->db;
	struct db_share *share = c->share;

	holding--;
	c->key_count = 0;
	if (c->broken) {
		db_conn_close(c);
		unreserve(db, share);
		return;
	}
	metrics_move(db->metrics, METRICS_DB_USED, -1);
	(void)pthread_mutex_lock(&db->lock);
	if (share != NULL)
		db_share_give(&db->shares, share);
	c->next = db->idle;
	db->idle = c;
	(void)pthread_cond_signal(&db->given);
	(void)pthread_mutex_unlock(&db->lock);
}

enum err db_ping(struct db *db, struct errmsg *why)
{
	struct db_conn *c;
	enum err e = db_take(db, &c, why);

	if (e != ERR_OK)
		return e;
	if (mysql_ping(c->mysql) != 0) {
		c->broken = true;
		e = err_set(why, ERR_UNAVAILABLE, "MySQL %u: %s",
			    mysql_errno(c->mysql), mysql_error(c->mysql));
	}
	db_give(c);
	return e;
}

enum err db_check_tls(struct db *db, struct errmsg *why)
{
	struct errmsg cause;
	struct db_conn *c;
	enum err e;

	if (db->server.tls == DB_TLS_OFF)
		return ERR_OK;
	e = take(db, &c, &cause);
	if (e == ERR_OK)
		db_give(c);
	return e == ERR_CONFIG ? err_set(why, e, "%s", cause.text) : ERR_OK;
}

static enum err run(struct db_conn *c, const char *sql, struct errmsg *why)
{
	if (mysql_query(c->mysql, sql) == 0)
		return ERR_OK;
	return db_failed(c, mysql_errno(c->mysql), mysql_error(c->mysql), why);
}

enum err db_begin(struct db *db, struct db_conn **out, struct errmsg *why)
{
	struct db_conn *c;
	enum err e = db_take(db, &c, why);

	if (e != ERR_OK)
		return e;
	e = run(c, "START TRANSACTION", why);
	if (e != ERR_OK) {
		db_give(c);
		return e;
	}
	*out = c;
	return ERR_OK;
}

enum err db_begin_for_all(struct db *db, struct db_conn **out,
			  struct errmsg *why)
{
	const uint64_t user = db_leave_share();
	enum err e = db_begin(db, out, why);

	db_enter_share(user);
	return e;
}

enum err db_commit(struct db_conn *c, struct errmsg *why)
{
	enum err e;

	for (size_t i = 0; i < c->key_count; i++)
		changes_begin(c->changes, c->keys[i]);
	e = run(c, "COMMIT", why);
	/* It is unknown whether the commit took effect: close the connection,
	 * and never end the change */
	if (e != ERR_OK) {
		c->broken = true;
		e = ERR_UNAVAILABLE;
	} else {
		for (size_t i = 0; i < c->key_count; i++)
			changes_end(c->changes, c->keys[i]);
	}
	db_give(c);
	return e;
}

void db_rollback(struct db_conn *c)
{
	/* A connection that ends rolls back by itself */
	if (!c->broken && run(c, "ROLLBACK", NULL) != ERR_OK)
		c->broken = true;
	db_give(c);
}
