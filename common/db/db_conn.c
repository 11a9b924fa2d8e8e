#include "common/db/db_conn.h"

#include <errmsg.h>
#include <errno.h>
#include <mysqld_error.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

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
				    .timeout = (unsigned)c->timeout };
	return copy(c->host, &out->host) && copy(c->socket, &out->socket) &&
			       copy(c->user, &out->user) &&
			       copy(c->password, &out->password) &&
			       copy(c->name, &out->name)
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
}

static MYSQL *dial(const struct db_server *server, struct errmsg *why)
{
	MYSQL *my = mysql_init(NULL);
	unsigned no_infile = 0;

	if (my == NULL) {
		(void)err_set(why, ERR_UNAVAILABLE, "out of memory");
		return NULL;
	}
	(void)mysql_options(my, MYSQL_OPT_CONNECT_TIMEOUT, &server->timeout);
	(void)mysql_options(my, MYSQL_OPT_READ_TIMEOUT, &server->timeout);
	(void)mysql_options(my, MYSQL_OPT_WRITE_TIMEOUT, &server->timeout);
	(void)mysql_options(my, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	/* A hostile server must not be able to read local files */
	(void)mysql_options(my, MYSQL_OPT_LOCAL_INFILE, &no_infile);
	/* A value that does not fit is an error and never truncated */
	(void)mysql_options(my, MYSQL_INIT_COMMAND,
			    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,"
			    "NO_ENGINE_SUBSTITUTION'");
	/* Required by transactions of two statements, whatever the server's
	 * default: only from this level on does INSERT ... SELECT lock the rows
	 * that it reads */
	(void)mysql_options(
		my, MYSQL_INIT_COMMAND,
		"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
	/* Count matched rows, not changed ones: an UPDATE to the same value
	 * matches */
	if (mysql_real_connect(my, server->host, server->user, server->password,
			       server->name, server->port, server->socket,
			       CLIENT_FOUND_ROWS) == NULL) {
		(void)err_set(why, ERR_UNAVAILABLE, "MySQL %u: %s",
			      mysql_errno(my), mysql_error(my));
		mysql_close(my);
		return NULL;
	}
	return my;
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

	if (c == NULL)
		return err_set(why, ERR_UNAVAILABLE, "out of memory");
	c->mysql = dial(server, why);
	if (c->mysql == NULL) {
		free(c);
		return ERR_UNAVAILABLE;
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

/* Map the error number; marks `c` as broken if necessary */
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
	/* The other errors concern the values of the statement */
	if (e == ERR_UNAVAILABLE || e == ERR_IO)
		metrics_add(c->metrics, METRICS_DB_FAILED, 1);
	return e;
}
