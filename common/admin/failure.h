/* failure.h - how a command reports a failure: one line on standard error that
 * begins "PROGRAM COMMAND: ", and an exit status (exit_status.h).
 *
 * Each function here prints the line and returns the status, so a failing
 * branch is `return admin_fail(...)`. Standard output is flushed before, so
 * that the lines of both appear in order.
 */
#ifndef FAILURE_H
#define FAILURE_H

#include "common/base/err.h"

/* Set how lines begin. Both texts are borrowed; `command` is "" before a
 * command is known. The tools have one thread. */
void admin_fail_begin(const char *program, const char *command);

int admin_fail(int status, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Report a wrong command line. The line ends "; see PROGRAM COMMAND --help".
 * Returns EX_USAGE. */
int admin_fail_usage(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Report `why`, or the error's own text if that is empty. Returns
 * exit_status_of(e). */
int admin_fail_err(enum err e, const struct errmsg *why);

/* The same for an error of db.h, with a hint what to check. ERR_IO returns
 * EX_CONFIG here: the schema or a privilege is missing. */
int admin_fail_db(enum err e, const struct errmsg *why);

/* The same for what a tool opens according to its settings: out of memory
 * returns EX_OSERR, any other error EX_CONFIG. */
int admin_fail_settings(enum err e, const struct errmsg *why);

#endif
