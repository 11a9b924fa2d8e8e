/* cmd_options.h - the command line of a subcommand.
 *
 * Options and arguments in any order; "--" ends the options. A value stands
 * in the next word or behind "=".
 */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct cmd_option {
	const char *name;   /* "--json" */
	bool *flag;	    /* set true; or */
	const char **value; /* takes the value */
};

/* Fill what the options point at, and the one argument if `argument` is not
 * NULL; it is called `what` when it is missing. Returns 0, or EX_USAGE after
 * saying what is wrong. */
int cmd_options(int argc, char **argv, const struct cmd_option *options,
		size_t count, const char *what, const char **argument);

#endif
