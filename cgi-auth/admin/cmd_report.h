/* cmd_report.h - how a subcommand says what went wrong, and its exit status
 * (admin.h has the list). */
#ifndef CMD_REPORT_H
#define CMD_REPORT_H

#include "common/admin/options.h"
#include "common/base/err.h"

#include <stdio.h>
#include <sysexits.h>

enum {
	EXIT_REFUSED = 1,
};

/* One line on standard error; returns `status`. */
int cmd_fail(int status, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* options_read(), and 0 or EX_USAGE after saying what is wrong. */
int cmd_take_options(int argc, char **argv, const struct option_place *places,
		     size_t count, const char *what, const char **argument);

/* The line and the status for an error of db.h; of anything else. */
int cmd_fail_db(enum err e, const struct errmsg *why);
int cmd_fail_err(enum err e, const struct errmsg *why);

/* Standard output was written in full? Else says so; returns the status. */
int cmd_finish_output(void);

/* Text from the database on a terminal: control characters become "?". */
void cmd_put_text(const char *s, int width);

#endif
