#include "common/db/db_conn.h"

#include <errmsg.h>
#include <mysqld_error.h>
#include <string.h>

/* Numbers that the header of the client library lacks, or has under names that
 * differ between MariaDB and MySQL */
enum {
	OS_WRITE_FAILED = 3,	   /* "Error writing file" */
	OS_DISK_FULL = 20,	   /* "Disk is full writing" */
	COMMIT_FAILED = 1180,	   /* "Got error N during COMMIT" */
	TIME_LIMIT_MARIADB = 1969, /* max_statement_time */
	CONNECTION_KILLED = 1927,
	READ_ONLY_MODE = 1836,
	TIME_LIMIT_MYSQL = 3024, /* max_execution_time */
	LOST_EXTENDED = 2055,	 /* CR_SERVER_LOST_EXTENDED */
};

/* The server's message of an error of its disk contains the errno */
static bool says_full(const char *text)
{
	static const char *const marks[] = {
		"error 28 ",
		"rrcode: 28 ",
		"errno: 28 ", /* ENOSPC */
		"error 122 ",
		"rrcode: 122 ",
		"errno: 122 ", /* EDQUOT */
		"No space left on device",
	};

	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
		if (strstr(text, marks[i]) != NULL)
			return true;
	return false;
}

static bool is_of_disk(unsigned number)
{
	switch (number) {
	case OS_WRITE_FAILED:
	case ER_CANT_CREATE_FILE:
	case ER_ERROR_ON_WRITE:
	case ER_GET_ERRNO:
	case COMMIT_FAILED:
		return true;
	default:
		return false;
	}
}

/* A server or a connection that will work again, or another server will */
static bool is_unavailable(unsigned number)
{
	switch (number) {
	case ER_LOCK_WAIT_TIMEOUT:
	case ER_LOCK_DEADLOCK:
	case ER_LOCK_TABLE_FULL:
	case ER_CHECKREAD: /* a transaction's row has changed */
	case ER_CON_COUNT_ERROR:
	case ER_TOO_MANY_USER_CONNECTIONS:
	case ER_USER_LIMIT_REACHED:
	case ER_MAX_PREPARED_STMT_COUNT_REACHED:
	case ER_CANT_CREATE_THREAD:
	case ER_OUTOFMEMORY:
	case ER_OUT_OF_SORTMEMORY:
	case ER_OUT_OF_RESOURCES:
	case ER_TABLE_DEF_CHANGED:
	case ER_NEED_REPREPARE:
	case CR_OUT_OF_MEMORY:
	case CR_SERVER_GONE_ERROR:
	case CR_SERVER_LOST:
	case LOST_EXTENDED:
	case CR_COMMANDS_OUT_OF_SYNC:
		return true;
	default:
		return number < CR_MIN_ERROR && db_error_breaks(number);
	}
}

bool db_error_breaks(unsigned number)
{
	switch (number) {
	case ER_OPTION_PREVENTS_STATEMENT: /* read-only: a standby server */
	case READ_ONLY_MODE:
	case ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION:
	case ER_UNKNOWN_COM_ERROR: /* Galera: node not ready for queries */
	case ER_SERVER_SHUTDOWN:
	case ER_NORMAL_SHUTDOWN:
	case ER_NET_READ_ERROR:
	case ER_NET_READ_INTERRUPTED:
	case ER_NET_ERROR_ON_WRITE:
	case ER_NET_WRITE_INTERRUPTED:
	case ER_NEW_ABORTING_CONNECTION:
	case CONNECTION_KILLED:
		return true;
	default:
		/* Client errors: the state of the connection is unknown */
		return number >= CR_MIN_ERROR && number <= CR_MAX_ERROR;
	}
}

enum err db_error_of(unsigned number, const char *text)
{
	switch (number) {
	case ER_DUP_ENTRY:
	case ER_DUP_ENTRY_WITH_KEY_NAME:
		return ERR_CONFLICT;
	case ER_DATA_TOO_LONG:
		return ERR_TOO_LARGE;
	case ER_RECORD_FILE_FULL:
	case ER_DISK_FULL:
	case OS_DISK_FULL:
		return ERR_FULL;
	case TIME_LIMIT_MARIADB:
	case TIME_LIMIT_MYSQL:
	case ER_QUERY_INTERRUPTED:
		return ERR_OVERLOADED;
	default:
		break;
	}
	if (is_of_disk(number) && says_full(text))
		return ERR_FULL;
	return is_unavailable(number) ? ERR_UNAVAILABLE : ERR_IO;
}
