/* options.h - the command line of an administration command, by getopt_long(3):
 * options and arguments in any order, "--" ends the options, a value stands in
 * the next word or behind "=".
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "common/base/err.h"
#include "common/base/span.h"

enum {
	OPTIONS_MAX = 16, /* options of one command */
};

struct option_place {
	const char *name;   /* "json", without its dashes */
	bool *flag;	    /* set true; or */
	const char **value; /* takes the text; or */
	int64_t *number;    /* takes it as a whole number */
};

/* Fill what the options point at. With `what` not NULL exactly one argument
 * must be there, which *argument takes; `what` names it in the message. argv[0]
 * is the command as a person types it, "user add". ERR_INVALID: `why` is a line
 * that says what is wrong. Not for two threads at a time. */
enum err options_read(int argc, char **argv, const struct option_place *places,
		      size_t count, const char *what, const char **argument,
		      struct errmsg *why) MUST_CHECK;

#endif
