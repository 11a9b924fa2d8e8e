#include "common/db/db_conn.h"

#include <errmsg.h>
#include <errno.h>
#include <mysqld_error.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

struct db {
	char *host, *socket, *user, *password, *name; /* owned */
	unsigned port, timeout;
	size_t max;
	struct metrics *metrics; /* borrowed */

	pthread_mutex_t lock;
	pthread_cond_t given;
	struct db_conn *idle; /* last given back first taken: it is warm */
	size_t open;	      /* connections in the pool or in use */
};

static char *copy(const char *s)
{
	return s != NULL && s[0] != '\0' ? strdup(s) : NULL;
}

enum err db_open(const struct db_config *c, struct db **out, struct errmsg *why)
{
	struct db *db = calloc(1, sizeof(*db));
	pthread_condattr_t attr;

	/* Not safe to be left to the first mysql_init() of several threads */
	if (db == NULL || mysql_library_init(0, NULL, NULL) != 0) {
		free(db);
		return err_set(why, ERR_MEMORY, "MySQL's client did not start");
	}
	db->host = copy(c->host);
	db->socket = copy(c->socket);
	db->user = copy(c->user);
	db->password = copy(c->password);
	db->name = copy(c->name);
	db->port = (unsigned)c->port;
	db->timeout = (unsigned)c->timeout;
	db->max = (size_t)c->pool;
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

static void conn_close(struct db_conn *c)
{
	db_close_statements(c);
	mysql_close(c->mysql);
	free(c);
}

void db_close(struct db *db)
{
	if (db == NULL)
		return;
	while (db->idle != NULL) {
		struct db_conn *next = db->idle->next;

		conn_close(db->idle);
		db->idle = next;
	}
	(void)pthread_cond_destroy(&db->given);
	(void)pthread_mutex_destroy(&db->lock);
	free(db->host);
	free(db->socket);
	free(db->user);
	free(db->password);
	free(db->name);
	free(db);
	mysql_library_end();
}

void db_thread_end(void)
{
	mysql_thread_end();
}

/* What the number means; marks `c` */
static enum err failure(struct db_conn *c, unsigned number)
{
	switch (number) {
	case ER_DUP_ENTRY:
	case ER_DUP_ENTRY_WITH_KEY_NAME:
		return ERR_CONFLICT;
	case ER_DATA_TOO_LONG:
		return ERR_TOO_LARGE;
	case ER_LOCK_WAIT_TIMEOUT:
	case ER_LOCK_DEADLOCK:
	case ER_OPTION_PREVENTS_STATEMENT: /* read-only: a standby server */
		return ERR_UNAVAILABLE;
	case ER_UNKNOWN_COM_ERROR: /* Galera: node not ready for queries */
	case ER_SERVER_SHUTDOWN:
	case ER_CONNECTION_KILLED:
	case CR_SERVER_GONE_ERROR:
	case CR_SERVER_LOST:
	case CR_COMMANDS_OUT_OF_SYNC:
		c->broken = true;
		return ERR_UNAVAILABLE;
	default:
		/* Client errors: the state of the connection is unknown */
		c->broken = c->broken || number >= CR_MIN_ERROR;
		return ERR_IO;
	}
}

enum err db_failed(struct db_conn *c, unsigned number, const char *text,
		   struct errmsg *why)
{
	enum err e = failure(c, number);

	(void)err_set(why, ERR_IO, "MySQL %u: %s", number, text);
	/* The others say something about the statement's values */
	if (e == ERR_UNAVAILABLE || e == ERR_IO)
		metrics_add(c->db->metrics, METRICS_DB_FAILED, 1);
	return e;
}

static MYSQL *dial(const struct db *db, struct errmsg *why)
{
	MYSQL *my = mysql_init(NULL);
	unsigned no_infile = 0;

	if (my == NULL) {
		(void)err_set(why, ERR_UNAVAILABLE, "out of memory");
		return NULL;
	}
	(void)mysql_options(my, MYSQL_OPT_CONNECT_TIMEOUT, &db->timeout);
	(void)mysql_options(my, MYSQL_OPT_READ_TIMEOUT, &db->timeout);
	(void)mysql_options(my, MYSQL_OPT_WRITE_TIMEOUT, &db->timeout);
	(void)mysql_options(my, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	/* A hostile server must not be able to ask for our files */
	(void)mysql_options(my, MYSQL_OPT_LOCAL_INFILE, &no_infile);
	/* A value that does not fit is an error, never cut silently */
	(void)mysql_options(my, MYSQL_INIT_COMMAND,
			    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,"
			    "NO_ENGINE_SUBSTITUTION'");
	/* What two statements of one transaction rely on, whatever the server's
	 * default is: INSERT ... SELECT locks what it reads only from here on
	 */
	(void)mysql_options(
		my, MYSQL_INIT_COMMAND,
		"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
	/* Found, not changed rows: an UPDATE to the same value has matched */
	if (mysql_real_connect(my, db->host, db->user, db->password, db->name,
			       db->port, db->socket,
			       CLIENT_FOUND_ROWS) == NULL) {
		(void)err_set(why, ERR_UNAVAILABLE, "MySQL %u: %s",
			      mysql_errno(my), mysql_error(my));
		mysql_close(my);
		return NULL;
	}
	return my;
}

/* Between statements the server has nothing to say: whatever there is to read
 * (an end of file, a farewell) means that it is leaving. */
static bool is_alive(const struct db_conn *c)
{
	char byte;
	ssize_t n = recv(mysql_get_socket(c->mysql), &byte, 1,
			 MSG_PEEK | MSG_DONTWAIT);

	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* An idle connection, or NULL with a place reserved for a new one.
 * ERR_UNAVAILABLE when all stay in use. */
static enum err reserve(struct db *db, struct db_conn **out, struct errmsg *why)
{
	struct timespec until;
	int waited = 0;
	enum err e = ERR_OK;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += db->timeout;
	(void)pthread_mutex_lock(&db->lock);
	while (db->idle == NULL && db->open == db->max && waited == 0)
		waited = pthread_cond_timedwait(&db->given, &db->lock, &until);
	*out = db->idle;
	if (db->idle != NULL) {
		db->idle = db->idle->next;
	} else if (db->open < db->max) {
		db->open++;
		metrics_move(db->metrics, METRICS_DB_OPEN, 1);
	} else {
		e = err_set(why, ERR_UNAVAILABLE,
			    "all %zu database connections stayed in use",
			    db->max);
	}
	(void)pthread_mutex_unlock(&db->lock);
	if (e == ERR_OK)
		metrics_move(db->metrics, METRICS_DB_USED, 1);
	else
		metrics_add(db->metrics, METRICS_DB_BUSY, 1);
	return e;
}

static void unreserve(struct db *db)
{
	metrics_move(db->metrics, METRICS_DB_USED, -1);
	metrics_move(db->metrics, METRICS_DB_OPEN, -1);
	(void)pthread_mutex_lock(&db->lock);
	db->open--;
	(void)pthread_cond_signal(&db->given);
	(void)pthread_mutex_unlock(&db->lock);
}

enum err db_take(struct db *db, struct db_conn **out, struct errmsg *why)
{
	struct db_conn *c = NULL;
	enum err e = reserve(db, &c, why);

	if (e != ERR_OK)
		return e;
	if (c != NULL && is_alive(c)) {
		*out = c;
		return ERR_OK;
	}
	/* The place in the pool stays ours while the old one is replaced */
	if (c != NULL)
		conn_close(c);
	c = calloc(1, sizeof(*c));
	if (c != NULL)
		c->mysql = dial(db, why);
	if (c == NULL || c->mysql == NULL) {
		free(c);
		metrics_add(db->metrics, METRICS_DB_CONNECT_FAILED, 1);
		unreserve(db);
		return ERR_UNAVAILABLE;
	}
	c->db = db;
	*out = c;
	return ERR_OK;
}

void db_give(struct db_conn *c)
{
	struct db *db = c->db;

	if (c->broken) {
		conn_close(c);
		unreserve(db);
		return;
	}
	metrics_move(db->metrics, METRICS_DB_USED, -1);
	(void)pthread_mutex_lock(&db->lock);
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

enum err db_commit(struct db_conn *c, struct errmsg *why)
{
	enum err e = run(c, "COMMIT", why);

	/* Whether it happened is not known: nothing may be built on it */
	if (e != ERR_OK) {
		c->broken = true;
		e = ERR_UNAVAILABLE;
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
