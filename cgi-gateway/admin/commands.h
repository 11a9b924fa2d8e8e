/* commands.h - the subcommands of gateway-admin, and what they are given.
 *
 * A command gets its own arguments (argv[0] is its name), prints its result on
 * stdout and errors on stderr, and returns the exit status: 0, or ADMIN_FOUND
 * when what it looked for is wrong, or one of sysexits.h. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "cgi-gateway/app/app.h"
#include "common/admin/options.h"

enum {
	ADMIN_FOUND = 1, /* exit status: done, and something is not right */
};

struct admin {
	struct app app; /* its database is open; gc and verify have its store */
	int64_t now;	/* seconds since 1970 UTC */
};

typedef int command_fn(struct admin *a, int argc, char **argv);

command_fn cmd_gc, cmd_verify, cmd_stat, cmd_quota, cmd_deliver, cmd_events;

/* Say on stderr what failed and return the exit status for it. */
int admin_fail(const char *command, enum err e, const struct errmsg *why);

/* options_read(), and 0 or EX_USAGE after saying what is wrong. */
int admin_options(int argc, char **argv, const struct option_place *places,
		  size_t count);

#endif
