#include "common/admin/command_table.h"

#include "common/admin/command_help.h"
#include "common/admin/exit_status.h"
#include "common/admin/failure.h"
#include "common/admin/output.h"
#include "common/base/span.h"

#include <sodium.h>
#include <string.h>

/* Count the words of the command line that match those of `name`, up to the
 * first that differs. *whole: all words of `name` match. */
static int matching_words(const char *name, int argc, char **argv, bool *whole)
{
	struct span left = span_of(name), word;
	int n = 0;

	*whole = false;
	while (span_next(&left, ' ', &word)) {
		if (n == argc || !span_eq(word, span_of(argv[n])))
			return n;
		n++;
	}
	*whole = true;
	return n;
}

static const struct command *find(const struct command_table *t, int argc,
				  char **argv, int *words)
{
	bool whole;

	for (size_t i = 0; i < t->count; i++) {
		*words =
			matching_words(t->commands[i].name, argc, argv, &whole);
		if (whole)
			return &t->commands[i];
	}
	return NULL;
}

/* Join the leading words that begin some command into one text ("user totp").
 * Returns their number. */
static int find_group(const struct command_table *t, int argc, char **argv,
		      char out[static COMMAND_NAME_MAX + 1])
{
	int most = 0, n;
	size_t len = 0;
	bool whole;

	for (size_t i = 0; i < t->count; i++) {
		n = matching_words(t->commands[i].name, argc, argv, &whole);
		most = n > most ? n : most;
	}
	out[0] = '\0';
	for (n = 0; n < most; n++)
		len += (size_t)snprintf(out + len, COMMAND_NAME_MAX + 1 - len,
					"%s%s", n > 0 ? " " : "", argv[n]);
	return most;
}

static bool asks_help(int argc, char **argv)
{
	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

static int run(const struct command_table *t, const struct command *c, int argc,
	       char **argv)
{
	admin_fail_begin(t->program, c->name);
	if (asks_help(argc - 1, argv + 1)) {
		command_help_one(t, c);
		return 0;
	}
	if (sodium_init() < 0)
		return admin_fail(EX_OSERR,
				  "libsodium could not be initialized");
	return c->run(argc, argv);
}

static int no_command(const struct command_table *t, int argc, char **argv)
{
	char group[COMMAND_NAME_MAX + 1];
	int words = find_group(t, argc, argv, group);

	if (asks_help(argc, argv) ||
	    (argc == 1 && strcmp(argv[0], "help") == 0)) {
		command_help_group(t, group);
		return 0;
	}
	admin_fail_begin(t->program, group);
	if (words == argc)
		return admin_fail_usage("a command is missing");
	return admin_fail_usage("there is no command \"%s%s%s\"", group,
				words > 0 ? " " : "", argv[words]);
}

static int print_version(const struct command_table *t)
{
	(void)printf("%s %s\n", t->program, GATEHOUSE_VERSION);
	return 0;
}

int command_table_main(const struct command_table *t, int argc, char **argv)
{
	const struct command *c;
	int words, status;

	output_begin();
	admin_fail_begin(t->program, "");
	c = find(t, argc - 1, argv + 1, &words);
	if (c != NULL)
		status = run(t, c, argc - words, argv + words);
	else if (argc > 1 && strcmp(argv[1], "--version") == 0)
		status = print_version(t);
	else
		status = no_command(t, argc - 1, argv + 1);
	return output_finish(status);
}
