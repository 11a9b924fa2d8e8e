/* options.h - the command line of an administration command, by getopt_long(3):
 * options and arguments in any order, "--" ends the options, a value follows in
 * the next word or after "=".
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "common/base/err.h"
#include "common/base/span.h"

enum {
	OPTIONS_MAX = 16, /* options of one command */
};

struct option_place {
	const char *name; /* "json", without its dashes; NULL: the end */
	/* one of: */
	bool *flag;	    /* set to true */
	const char **value; /* the text */
	int64_t *number;    /* a whole number, */
	int64_t min, max;   /* in this range unless both are 0 */
};

/* Fill what the options point at. If `what` is not NULL, exactly one argument
 * is required and stored in *argument; `what` names it in the message.
 * `options` may be NULL. Returns 0, or EX_USAGE after printing what is wrong.
 * Not thread-safe. */
int options_read(int argc, char **argv, const struct option_place *options,
		 const char *what, const char **argument) MUST_CHECK;

#endif
