#include "common/db/db_conn.h"

#include <errmsg.h>
#include <errno.h>
#include <mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
	ANSWER_GRACE = 1, /* seconds for the answer that a time limit has ended
			     the statement */
	/* MySQL's number, and MariaDB's from 11 on; before, it refused access
	 */
	SECURE_TRANSPORT_REQUIRED = 3159,
};

/* Copy a text; NULL for an empty one, so that the client library uses its
 * default */
static bool copy(const char *s, char **out)
{
	*out = s != NULL && s[0] != '\0' ? strdup(s) : NULL;
	return *out != NULL || s == NULL || s[0] == '\0';
}

enum err db_server_init(struct db_server *out, const struct db_config *c)
{
	*out = (struct db_server) { .port = (unsigned)c->port,
				    .timeout = (unsigned)c->timeout,
				    .tls = c->tls };
	return copy(c->host, &out->host) && copy(c->socket, &out->socket) &&
			       copy(c->user, &out->user) &&
			       copy(c->password, &out->password) &&
			       copy(c->name, &out->name) &&
			       copy(c->tls_ca, &out->tls_ca) &&
			       copy(c->tls_cert, &out->tls_cert) &&
			       copy(c->tls_key, &out->tls_key)
		       ? ERR_OK
		       : ERR_MEMORY;
}

void db_server_release(struct db_server *s)
{
	free(s->host);
	free(s->socket);
	free(s->user);
	free(s->password);
	free(s->name);
	free(s->tls_ca);
	free(s->tls_cert);
	free(s->tls_key);
}

/* Set both options in every case: versions of the library differ in their
 * defaults. From 3.4 on, it verifies certificates unless told not to. */
static void set_tls(MYSQL *my, const struct db_server *server)
{
	my_bool use = server->tls != DB_TLS_OFF;
	my_bool verify = server->tls == DB_TLS_VERIFY;

	if (use) {
		(void)mysql_options(my, MYSQL_OPT_SSL_CA, server->tls_ca);
		(void)mysql_options(my, MYSQL_OPT_SSL_CERT, server->tls_cert);
		(void)mysql_options(my, MYSQL_OPT_SSL_KEY, server->tls_key);
	}
	(void)mysql_options(my, MYSQL_OPT_SSL_ENFORCE, &use);
	(void)mysql_options(my, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
}

/* Fill `why` for a connection that failed, with the setting to look at */
static enum err connect_failed(MYSQL *my, const struct db_server *server,
			       struct errmsg *why)
{
	unsigned number = mysql_errno(my);
	const char *hint = "";

	if (number == CR_SSL_CONNECTION_ERROR)
		return err_set(why, ERR_CONFIG,
			       "no TLS connection to the database: MySQL %u: "
			       "%s (MYSQL_TLS, MYSQL_TLS_CA, MYSQL_TLS_CERT, "
			       "MYSQL_TLS_KEY, and the name in MYSQL_HOST)",
			       number, mysql_error(my));
	if ((number == ER_ACCESS_DENIED_ERROR ||
	     number == SECURE_TRANSPORT_REQUIRED) &&
	    server->tls == DB_TLS_OFF)
		hint = "; the server may require TLS (MYSQL_TLS)";
	else if (number == ER_ACCESS_DENIED_ERROR && server->tls_cert == NULL)
		hint = "; the account may require a certificate "
		       "(MYSQL_TLS_CERT)";
	/* The library appends the errno of a socket in brackets */
	else if (strstr(mysql_error(my), "(24") != NULL)
		hint = err_hint_of_errno(EMFILE);
	else if (strstr(mysql_error(my), "(23") != NULL)
		hint = err_hint_of_errno(ENFILE);
	return err_set(why, ERR_UNAVAILABLE, "MySQL %u: %s%s", number,
		       mysql_error(my), hint);
}

/* Before version 3.4, the library connects without TLS if the server has none
 * and certificates are not verified */
static enum err check_encrypted(MYSQL *my, const struct db_server *server,
				struct errmsg *why)
{
	if (server->tls == DB_TLS_OFF || mysql_get_ssl_cipher(my) != NULL)
		return ERR_OK;
	return err_set(why, ERR_CONFIG,
		       "no TLS connection to the database: the server does not "
		       "support TLS; configure its certificate, or set "
		       "MYSQL_TLS=off");
}

static void set_options(MYSQL *my, const struct db_server *server)
{
	/* The server's own time limit ends first, and leaves the connection
	 * usable */
	unsigned no_infile = 0, wait = server->timeout + ANSWER_GRACE;
	char set[384];

	(void)mysql_options(my, MYSQL_OPT_CONNECT_TIMEOUT, &server->timeout);
	(void)mysql_options(my, MYSQL_OPT_READ_TIMEOUT, &wait);
	(void)mysql_options(my, MYSQL_OPT_WRITE_TIMEOUT, &server->timeout);
	(void)mysql_options(my, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	/* A hostile server must not be able to read local files */
	(void)mysql_options(my, MYSQL_OPT_LOCAL_INFILE, &no_infile);
	(void)snprintf(set, sizeof(set),
		       "SET SESSION"
		       /* A value that does not fit is an error and never
			* truncated */
		       " sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'"
		       /* The isolation is required by transactions of two
			* statements, whatever the server's default: only from
			* this level on does INSERT ... SELECT lock the rows
			* that it reads.
			* The server ends what takes longer: it would run on
			* after its client was answered. The limit of MySQL is
			* for SELECT alone; others wait for locks at most. */
		       " /*M!100102 , max_statement_time = %u,"
		       " tx_isolation = 'REPEATABLE-READ' */"
		       " /*!50720 , max_execution_time = %u000,"
		       " innodb_lock_wait_timeout = %u,"
		       " transaction_isolation = 'REPEATABLE-READ' */"
		       /* From 11.6.2 on, MariaDB's default refuses to lock a
			* row that has changed since the transaction first read
			* (1020) */
		       " /*M!110602 , innodb_snapshot_isolation = OFF */",
		       server->timeout, server->timeout, server->timeout);
	(void)mysql_options(my, MYSQL_INIT_COMMAND, set);
	set_tls(my, server);
}

static enum err dial(const struct db_server *server, MYSQL **out,
		     struct errmsg *why)
{
	MYSQL *my = mysql_init(NULL);
	enum err e;

	if (my == NULL)
		return err_set(why, ERR_UNAVAILABLE, "out of memory");
	set_options(my, server);
	/* Count matched rows, not changed ones: an UPDATE to the same value
	 * matches */
	if (mysql_real_connect(my, server->host, server->user, server->password,
			       server->name, server->port, server->socket,
			       CLIENT_FOUND_ROWS) == NULL)
		e = connect_failed(my, server, why);
	else
		e = check_encrypted(my, server, why);
	if (e == ERR_OK)
		*out = my;
	else
		mysql_close(my);
	return e;
}

/* Between statements the server sends nothing: input or end of file means that
 * it has closed the connection. */
bool db_conn_is_alive(const struct db_conn *c)
{
	char byte;
	ssize_t n = recv(mysql_get_socket(c->mysql), &byte, 1,
			 MSG_PEEK | MSG_DONTWAIT);

	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

enum err db_conn_open(const struct db_server *server, struct db_conn **out,
		      struct errmsg *why)
{
	struct db_conn *c = calloc(1, sizeof(*c));
	enum err e;

	if (c == NULL)
		return err_set(why, ERR_UNAVAILABLE, "out of memory");
	e = dial(server, &c->mysql, why);
	if (e != ERR_OK) {
		free(c);
		return e;
	}
	*out = c;
	return ERR_OK;
}

void db_conn_close(struct db_conn *c)
{
	for (size_t i = 0; i < c->prepared; i++)
		(void)mysql_stmt_close(c->statements[i].stmt);
	mysql_close(c->mysql);
	free(c);
}

enum err db_failed(struct db_conn *c, unsigned number, const char *text,
		   struct errmsg *why)
{
	enum err e = db_error_of(number, text);

	c->broken = c->broken || db_error_breaks(number);
	(void)err_set(why, ERR_IO, "MySQL %u: %s", number, text);
	/* The other errors concern the values of the statement */
	if (e != ERR_CONFLICT && e != ERR_TOO_LARGE)
		metrics_add(c->metrics, METRICS_DB_FAILED, 1);
	return e;
}
