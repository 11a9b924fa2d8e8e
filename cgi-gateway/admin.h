/* admin.h - the subcommands of gateway-admin, and what they are given.
 *
 * A command gets its own arguments (argv[0] is its name), prints its result on
 * stdout and errors on stderr, and returns the exit status: 0, or ADMIN_FOUND
 * when what it looked for is wrong, or one of sysexits.h. */
#ifndef ADMIN_H
#define ADMIN_H

#include "app.h"

enum {
	ADMIN_FOUND = 1, /* exit status: done, and something is not right */
};

struct admin {
	struct app app; /* with its store and database open */
	int64_t now;	/* seconds since 1970 UTC */
};

typedef int command_fn(struct admin *a, int argc, char **argv);

command_fn cmd_gc, cmd_verify, cmd_stat;

/* Say on stderr what failed and return the exit status for it. */
int admin_fail(const char *command, enum err e, const struct errmsg *m);

/* Take `--name N` (or `--name=N`) from argv[*i] on. True if it was there; then
 * *out is filled, or -1 for what is no number. */
bool admin_number(const char *name, int argc, char **argv, int *i,
		  int64_t *out);

/* Say that an argument is unknown; returns EX_USAGE. */
int admin_usage(const char *command, const char *argument);

#endif
