/* command_help.h - the help of a command table, on standard output. */
#ifndef COMMAND_HELP_H
#define COMMAND_HELP_H

#include "common/admin/command_table.h"

/* Print the commands whose names begin with the words of `group`; all of them
 * for "". */
void command_help_group(const struct command_table *t, const char *group);

void command_help_one(const struct command_table *t, const struct command *c);

#endif
