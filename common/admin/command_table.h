/* command_table.h - an administration tool as a table of commands.
 *
 * The dispatcher finds the command by its words, answers --help and --version,
 * returns EX_USAGE for an unknown command, and EX_IOERR if the output of any
 * command cannot be written (output.h). Exit statuses are those of
 * exit_status.h.
 */
#ifndef COMMAND_TABLE_H
#define COMMAND_TABLE_H

#include <stddef.h>

enum {
	COMMAND_NAME_MAX = 31, /* bytes of a name */
};

/* Returns the exit status. Options and arguments begin at argv[1]. */
typedef int command_fn(int argc, char **argv);

struct command {
	const char *name; /* its words, like "user add" */
	command_fn *run;
	const char *arguments; /* for its help, like "EMAIL [--json]" */
	const char *summary;   /* a phrase without a capital or a full stop */
	const char *help;      /* lines of at most 80 columns, or "" */
};

struct command_table {
	const char *program;
	const char *summary;  /* the same kind of phrase */
	const char *settings; /* lines for --help: which settings it reads */
	const struct command *commands;
	size_t count;
};

/* Run a tool, as its main(). Initializes libsodium before a command runs. */
int command_table_main(const struct command_table *t, int argc, char **argv);

#endif
