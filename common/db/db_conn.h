/* db_conn.h - inside db: one connection and the statements prepared on it.
 *
 * db_conn.c handles one connection, db_pool.c shares several, and
 * db_statement.c runs statements on one. Nothing outside db/ includes this.
 */
#ifndef DB_CONN_H
#define DB_CONN_H

#include "common/db/db_known.h"

#include <mysql.h>

/* Address and account of a server; the texts are owned, NULL for empty ones */
struct db_server {
	char *host, *socket, *user, *password, *name;
	char *tls_ca, *tls_cert, *tls_key;
	enum db_tls tls;
	unsigned port, timeout; /* seconds: to connect, and for each answer */
};

/* Copy what a connection needs from `c`. After ERR_MEMORY, release it as well.
 */
enum err db_server_init(struct db_server *out,
			const struct db_config *c) MUST_CHECK;
void db_server_release(struct db_server *s);

struct db_statement {
	const char *sql; /* the literal's address is its name */
	MYSQL_STMT *stmt;
};

struct db_conn {
	struct db *db;		 /* the pool to return it to */
	struct metrics *metrics; /* borrowed; may be NULL */
	struct db_conn *next;	 /* in the pool's list of idle ones */
	struct db_share *share;	 /* of the user who holds it, or NULL */
	MYSQL *mysql;
	bool broken; /* close it when it is returned */
	/* What the transaction changes that others may remember (db_known.h) */
	struct changes_file *changes;
	struct change_key keys[DB_KNOWN_KEYS];
	size_t key_count;
	size_t prepared, evict;
	struct db_statement statements[DB_STATEMENTS_MAX];
};

/* Connect. ERR_UNAVAILABLE, including when out of memory; ERR_CONFIG if TLS
 * could not be used as `server` demands. */
enum err db_conn_open(const struct db_server *server, struct db_conn **out,
		      struct errmsg *why) MUST_CHECK;

/* Close it, and every statement prepared on it. */
void db_conn_close(struct db_conn *c);

/* Whether an idle connection is still open on the server's side; without a
 * round trip. */
bool db_conn_is_alive(const struct db_conn *c);

/* The error that a number of MySQL means. `text` is the server's message, which
 * has the errno of an error of its disk. */
enum err db_error_of(unsigned number, const char *text);

/* Whether the connection cannot be used after that number. */
bool db_error_breaks(unsigned number);

/* Map an error number of MySQL to ours, fill `why`, and mark `c` as broken if
 * the connection cannot be used any more. */
enum err db_failed(struct db_conn *c, unsigned number, const char *text,
		   struct errmsg *why);

/* Take a live connection from the pool, waiting at most the pool's timeout;
 * return it to the pool. */
enum err db_take(struct db *db, struct db_conn **out,
		 struct errmsg *why) MUST_CHECK;
void db_give(struct db_conn *c);

/* Run a statement that changes rows, as db_change(). */
enum err db_conn_change(struct db_conn *c, const char *sql, struct db_in in,
			struct errmsg *why) MUST_CHECK;

struct db_known;

/* Where the pool keeps what it knows of that kind; NULL there: nothing. */
struct db_known **db_known_of(struct db *db, enum db_known_of of);
void db_known_free(struct db_known *k); /* NULL is fine */

/* Between the two, the connections that this thread takes are in no share: it
 * works for several users, or for all. */
uint64_t db_leave_share(void);
void db_enter_share(uint64_t user);

#endif
