#include "common/admin/command_help.h"

#include "common/admin/exit_status.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_in(const char *name, const char *group)
{
	size_t len = strlen(group);

	return len == 0 || (strncmp(name, group, len) == 0 && name[len] == ' ');
}

static int widest(const struct command_table *t, const char *group)
{
	size_t most = 0;

	for (size_t i = 0; i < t->count; i++) {
		size_t len = strlen(t->commands[i].name);

		if (is_in(t->commands[i].name, group) && len > most)
			most = len;
	}
	return (int)most;
}

void command_help_group(const struct command_table *t, const char *group)
{
	const int width = widest(t, group);

	(void)printf("usage: %s %s%sCOMMAND [options]\n\n%s - %s\n\n",
		     t->program, group, group[0] != '\0' ? " " : "", t->program,
		     t->summary);
	for (size_t i = 0; i < t->count; i++) {
		const struct command *c = &t->commands[i];

		if (is_in(c->name, group))
			(void)printf("  %s %-*s  %s\n", t->program, width,
				     c->name, c->summary);
	}
	(void)printf("\nEach command has its own --help.\n\n%s\n%s",
		     t->settings, exit_status_help);
}

void command_help_one(const struct command_table *t, const struct command *c)
{
	(void)printf("usage: %s %s%s%s\n\n%c%s.\n", t->program, c->name,
		     c->arguments[0] != '\0' ? " " : "", c->arguments,
		     c->summary[0] - 'a' + 'A', c->summary + 1);
	if (c->help[0] != '\0')
		(void)printf("\n%s", c->help);
	(void)printf("\nExit status: 0 if done; %s --help lists the others.\n",
		     t->program);
}
