/* db_conn.h - inside db: one connection and the statements prepared on it.
 *
 * db_conn.c knows one connection, db_pool.c how several are shared, and
 * db_statement.c what is sent through one. Nothing outside db/ includes this.
 */
#ifndef DB_CONN_H
#define DB_CONN_H

#include "common/db/db.h"

#include <mysql.h>

/* Where a server is and who logs in; the texts are owned, NULL for empty ones
 */
struct db_server {
	char *host, *socket, *user, *password, *name;
	unsigned port, timeout; /* seconds: to connect, and for each answer */
};

/* Copy what a connection needs of `c`. ERR_MEMORY: release it all the same. */
enum err db_server_init(struct db_server *out,
			const struct db_config *c) MUST_CHECK;
void db_server_release(struct db_server *s);

struct db_statement {
	const char *sql; /* the literal's address is its name */
	MYSQL_STMT *stmt;
};

struct db_conn {
	struct db *db;		 /* the pool that it goes back to */
	struct metrics *metrics; /* borrowed; may be NULL */
	struct db_conn *next;	 /* in the pool's list of idle ones */
	MYSQL *mysql;
	bool broken; /* to be closed when it goes back */
	size_t prepared, evict;
	struct db_statement statements[DB_STATEMENTS_MAX];
};

/* Connect. ERR_UNAVAILABLE, also when out of memory. */
enum err db_conn_open(const struct db_server *server, struct db_conn **out,
		      struct errmsg *why) MUST_CHECK;

/* Close it, and every statement prepared on it. */
void db_conn_close(struct db_conn *c);

/* Whether the server has kept an idle connection open; no round trip. */
bool db_conn_is_alive(const struct db_conn *c);

/* Map an error number of MySQL to ours, fill `why`, and mark `c` as broken
 * where the connection cannot be used further. */
enum err db_failed(struct db_conn *c, unsigned number, const char *text,
		   struct errmsg *why);

/* Take a live connection from the pool, and wait for one at most the pool's
 * timeout; give it back. */
enum err db_take(struct db *db, struct db_conn **out,
		 struct errmsg *why) MUST_CHECK;
void db_give(struct db_conn *c);

#endif
