/* db.h - prepared statements on a small pool of MySQL connections.
 *
 * A statement is written where it is used:
 *
 *	e = db_row(db, "SELECT id, email FROM user WHERE id = ?",
 *		   DB_IN(db_int(id)), DB_OUT(db_to_int(&id),
 *		   db_to_text(email, sizeof(email))), &why);
 *
 * The SQL is a string literal: anything else does not compile. Each connection
 * prepares a literal once and keeps it, so a statement costs one round trip.
 *
 * A statement or a transaction takes a connection from the pool and returns it.
 * A connection that the server has closed is detected before it is used, and
 * replaced; a statement whose connection breaks returns ERR_UNAVAILABLE.
 *
 *   ERR_OK           for db_row: a row was found and all outputs are filled
 *   ERR_NOT_FOUND    db_row: no row; db_change: no row was touched
 *   ERR_CONFLICT     a unique key exists already
 *   ERR_UNAVAILABLE  no server, no answer in time, no free connection, a
 *                    deadlock; it is unknown whether a change was made
 *   ERR_OVERLOADED   the server has ended the statement after the timeout, or
 *                    the user's share of the connections was in use until then;
 *                    nothing was changed
 *   ERR_FULL         the server's disk is full; nothing was changed
 *   ERR_TOO_LARGE    a value does not fit its output
 *   ERR_IO           anything else: an error in the SQL, a missing privilege
 *
 * `why` may be NULL; it receives the server's message, for the log only.
 */
#ifndef DB_H
#define DB_H

#include "common/base/err.h"
#include "common/base/span.h"
#include "common/metrics/metrics.h"

enum {
	DB_STATEMENTS_MAX = 96, /* prepared statements a connection keeps */
	DB_VALUES_MAX = 64,	/* columns of a statement */
	DB_PARAMETERS_MAX = 96,
	DB_POOL_MAX = 256,
};

/* Encryption of the connections, including those over a Unix socket. */
enum db_tls {
	DB_TLS_OFF,    /* never */
	DB_TLS_ON,     /* always; the server's certificate is not verified */
	DB_TLS_VERIFY, /* always; the certificate must be valid for `host` */
};

struct db_config {
	const char *host, *socket, *user, *password, *name;
	enum db_tls tls;
	/* PEM files, or "": the authorities that may have signed the server's
	 * certificate ("": those of the system), and the certificate and key
	 * that the account requires */
	const char *tls_ca, *tls_cert, *tls_key;
	int64_t port, pool;
	/* seconds: to connect, to get an answer, and to wait for a free
	 * connection. The server ends a statement after as long (MySQL: a
	 * SELECT, and a wait for a lock). */
	int64_t timeout;
	struct metrics *metrics; /* borrowed; NULL: nothing is counted */
};

struct db;	/* the pool; shared by all threads */
struct db_conn; /* one connection; used by one thread */

struct db_value; /* a parameter, see db_int() and so on */
struct db_field; /* a column's place, see db_to_int() and so on */

/* Make a pool. No connection is opened yet, so a program can start while the
 * server is unavailable. ERR_MEMORY. db_close() closes all connections; none
 * may be in use. */
enum err db_open(const struct db_config *c, struct db **out,
		 struct errmsg *why) MUST_CHECK;
void db_close(struct db *db);

/* Count the connections of this thread, and its slot (worker_slots.h), from now
 * on as those of `user`, 0 for no user. A user holds at most half of the pool, at least one;
 * a thread that needs one more waits without a connection, at most until the
 * timeout. */
void db_act_for(uint64_t user);

/* Call at the end of each thread that used `db`. */
void db_thread_end(void);

/* Return ERR_OK if a connection can be opened and responds. */
enum err db_ping(struct db *db, struct errmsg *why) MUST_CHECK;

/* Connect if `tls` is used, and return ERR_CONFIG if the server or its
 * certificate is refused: waiting does not help. ERR_OK after every other
 * failure. */
enum err db_check_tls(struct db *db, struct errmsg *why) MUST_CHECK;

/* --- values ----------------------------------------------------------- */

enum db_kind { DB_INT, DB_UINT, DB_TEXT, DB_BYTES, DB_NULL };

struct db_value {
	enum db_kind kind;
	int64_t n;
	struct span s;
};

struct db_field {
	enum db_kind kind;
	void *to;
	size_t cap;	 /* DB_TEXT: with the NUL; DB_BYTES: exact length */
	int64_t if_null; /* value of an integer column that is NULL */
};

struct db_value db_int(int64_t n);
struct db_value db_uint(uint64_t n);
struct db_value db_text(struct span s);
struct db_value db_bytes(struct span s);
struct db_value db_null(void);
struct db_value db_int_or_null(int64_t n, int64_t null_is);

struct db_field db_to_int(int64_t *to);	  /* NULL reads as 0 */
struct db_field db_to_uint(uint64_t *to); /* NULL reads as 0 */
struct db_field db_to_int_or(int64_t *to, int64_t if_null);
struct db_field db_to_text(char *to, size_t cap);  /* terminated; NULL is "" */
struct db_field db_to_bytes(void *to, size_t len); /* NULL is zeros */

struct db_in {
	const struct db_value *v;
	size_t n;
};
struct db_out {
	const struct db_field *f;
	size_t n;
};

#define DB_IN(...)                                                            \
	((struct db_in) { (const struct db_value[]) { __VA_ARGS__ },          \
			  sizeof((const struct db_value[]) { __VA_ARGS__ }) / \
				  sizeof(struct db_value) })
#define DB_OUT(...)                                                            \
	((struct db_out) { (const struct db_field[]) { __VA_ARGS__ },          \
			   sizeof((const struct db_field[]) { __VA_ARGS__ }) / \
				   sizeof(struct db_field) })
#define DB_NONE ((struct db_in) { NULL, 0 })

/* --- statements ------------------------------------------------------- */

/* The first row of a SELECT. */
#define db_row(db, sql, in, out, why) db_row_(db, "" sql "", in, out, why)

/* INSERT, UPDATE, DELETE. ERR_NOT_FOUND if no row matched (an UPDATE that
 * leaves a row as it was has matched it). */
#define db_change(db, sql, in, why) db_change_(db, "" sql "", in, why)

/* Read every row of a SELECT: fill the outputs, then call `each` with `arg`. If
 * it returns any value but ERR_OK, stop and return that. */
typedef enum err db_each_fn(void *arg);
#define db_each(db, sql, in, out, each, arg, why) \
	db_each_(db, "" sql "", in, out, each, arg, why)

enum err db_row_(struct db *db, const char *sql, struct db_in in,
		 struct db_out out, struct errmsg *why) MUST_CHECK;
enum err db_change_(struct db *db, const char *sql, struct db_in in,
		    struct errmsg *why) MUST_CHECK;
enum err db_each_(struct db *db, const char *sql, struct db_in in,
		  struct db_out out, db_each_fn *each, void *arg,
		  struct errmsg *why) MUST_CHECK;

/* --- transactions ----------------------------------------------------- */

/* Take a connection and start a transaction on it. Then db_tx_row(),
 * db_tx_each() and db_tx_change() as above, then db_commit() or db_rollback();
 * both always return the connection to the pool. */
enum err db_begin(struct db *db, struct db_conn **out,
		  struct errmsg *why) MUST_CHECK;
/* The same for the work of several users: not within the share of the user of
 * this thread, for which the others would wait. */
enum err db_begin_for_all(struct db *db, struct db_conn **out,
			  struct errmsg *why) MUST_CHECK;
enum err db_commit(struct db_conn *c, struct errmsg *why) MUST_CHECK;
void db_rollback(struct db_conn *c);

#define db_tx_each(c, sql, in, out, each, arg, why) \
	db_tx_each_(c, "" sql "", in, out, each, arg, why)
#define db_tx_row(c, sql, in, out, why) db_tx_row_(c, "" sql "", in, out, why)
#define db_tx_change(c, sql, in, why) db_tx_change_(c, "" sql "", in, why)

enum err db_tx_each_(struct db_conn *c, const char *sql, struct db_in in,
		     struct db_out out, db_each_fn *each, void *arg,
		     struct errmsg *why) MUST_CHECK;
enum err db_tx_row_(struct db_conn *c, const char *sql, struct db_in in,
		    struct db_out out, struct errmsg *why) MUST_CHECK;
enum err db_tx_change_(struct db_conn *c, const char *sql, struct db_in in,
		       struct errmsg *why) MUST_CHECK;

#endif
