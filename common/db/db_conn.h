/* db_conn.h - inside db: one connection and the statements it has prepared.
 * Only db_pool.c and db_statement.c include it. */
#ifndef DB_CONN_H
#define DB_CONN_H

#include "common/db/db.h"

#include <mysql.h>

struct db_statement {
	const char *sql; /* the literal's address is its name */
	MYSQL_STMT *stmt;
};

struct db_conn {
	struct db *db;
	struct db_conn *next; /* in the pool's idle list */
	MYSQL *mysql;
	bool broken; /* to be closed when it is given back */
	size_t prepared, evict;
	struct db_statement statements[DB_STATEMENTS_MAX];
};

/* Take a live connection, waiting for one at most the pool's timeout. */
enum err db_take(struct db *db, struct db_conn **out,
		 struct errmsg *why) MUST_CHECK;
void db_give(struct db_conn *c);

/* What an error number of MySQL means to us; marks `c` broken when the
 * connection cannot be used any more, and fills `why`. */
enum err db_failed(struct db_conn *c, unsigned number, const char *text,
		   struct errmsg *why);

void db_close_statements(struct db_conn *c);

#endif
