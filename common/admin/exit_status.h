/* exit_status.h - the exit statuses of both administration tools.
 *
 *   0   done
 *   1   the result is negative: what the command works on is missing, exists
 *       already or was not confirmed; or the command is done and found
 *       something wrong, such as a damaged file
 *   64  the command line is wrong (EX_USAGE)
 *   69  the database or the file store is unavailable (EX_UNAVAILABLE)
 *   71  out of memory, or the system refused a basic service (EX_OSERR)
 *   74 a file or the output cannot be read or written (EX_IOERR)
 *   75  stopped by a signal before the end (EX_TEMPFAIL)
 *   78  a setting, a right or the database schema is wrong (EX_CONFIG)
 *
 * Scripts rely on these values. --help of each tool lists them.
 */
#ifndef EXIT_STATUS_H
#define EXIT_STATUS_H

#include "common/base/err.h"

#include <sysexits.h>

enum {
	EXIT_NEGATIVE = 1,
};

/* The list above as --help prints it, lines of at most 80 columns. */
extern const char exit_status_help[];

/* Return the exit status for an error; 0 for ERR_OK. ERR_IO is taken as a file
 * error; for errors of the database, use admin_fail_db(). */
int exit_status_of(enum err e);

#endif
