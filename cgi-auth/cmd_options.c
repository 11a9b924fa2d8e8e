#include "cmd_options.h"

#include "cmd_report.h"

#include <string.h>

/* The option that `word` names, and its value behind "=" or NULL */
static const struct cmd_option *find(const struct cmd_option *options,
				     size_t count, const char *word,
				     const char **value)
{
	size_t len = strcspn(word, "=");

	for (size_t i = 0; i < count; i++)
		if (strlen(options[i].name) == len &&
		    memcmp(options[i].name, word, len) == 0) {
			*value = word[len] == '=' ? word + len + 1 : NULL;
			return &options[i];
		}
	return NULL;
}

/* Take the option at argv[*i], and its value if that is the next word */
static int take(int argc, char **argv, int *i, const struct cmd_option *options,
		size_t count)
{
	const char *value;
	const struct cmd_option *o = find(options, count, argv[*i], &value);

	if (o == NULL)
		return cmd_fail(EX_USAGE,
				"%s: unknown option %s; see auth-admin %s "
				"--help",
				argv[0], argv[*i], argv[0]);
	if (o->flag != NULL && value != NULL)
		return cmd_fail(EX_USAGE, "%s: %s takes no value", argv[0],
				o->name);
	if (o->flag != NULL) {
		*o->flag = true;
		return 0;
	}
	if (value == NULL && *i + 1 == argc)
		return cmd_fail(EX_USAGE, "%s: %s needs a value", argv[0],
				o->name);
	*o->value = value != NULL ? value : argv[++*i];
	return 0;
}

int cmd_options(int argc, char **argv, const struct cmd_option *options,
		size_t count, const char *what, const char **argument)
{
	bool options_over = false;
	int status = 0;

	if (argument != NULL)
		*argument = NULL;
	for (int i = 1; i < argc && status == 0; i++) {
		if (!options_over && strcmp(argv[i], "--") == 0)
			options_over = true;
		else if (!options_over && argv[i][0] == '-')
			status = take(argc, argv, &i, options, count);
		else if (argument == NULL || *argument != NULL)
			status = cmd_fail(EX_USAGE,
					  "%s: \"%s\" is one argument too "
					  "many; see auth-admin %s --help",
					  argv[0], argv[i], argv[0]);
		else
			*argument = argv[i];
	}
	if (status == 0 && argument != NULL && *argument == NULL)
		status = cmd_fail(EX_USAGE,
				  "%s: %s is missing; see auth-admin %s --help",
				  argv[0], what, argv[0]);
	return status;
}
