#include "common/admin/options.h"

#include <getopt.h>

static enum err take(const struct option_place *p, const char *command,
		     struct errmsg *why)
{
	if (p->flag != NULL)
		*p->flag = true;
	else if (p->value != NULL)
		*p->value = optarg;
	else if (!span_to_int(span_of(optarg), p->number))
		return err_set(why, ERR_INVALID,
			       "%s: --%s takes a whole number, not \"%s\"",
			       command, p->name, optarg);
	return ERR_OK;
}

static enum err take_argument(int argc, char **argv, const char *what,
			      const char **argument, struct errmsg *why)
{
	int left = argc - optind;

	if (what != NULL && left == 0)
		return err_set(why, ERR_INVALID, "%s: %s is missing", argv[0],
			       what);
	if (left > (what != NULL ? 1 : 0))
		return err_set(why, ERR_INVALID,
			       "%s: \"%s\" is one argument too many", argv[0],
			       argv[argc - 1]);
	if (what != NULL)
		*argument = argv[optind];
	return ERR_OK;
}

enum err options_read(int argc, char **argv, const struct option_place *places,
		      size_t count, const char *what, const char **argument,
		      struct errmsg *why)
{
	struct option longs[OPTIONS_MAX + 1] = { 0 };
	int index = 0, got;
	enum err e = ERR_OK;

	for (size_t i = 0; i < count && i < OPTIONS_MAX; i++)
		longs[i] = (struct option) {
			.name = places[i].name,
			.has_arg = places[i].flag != NULL ? no_argument
							  : required_argument,
		};
	opterr = 0; /* its own messages do not name the command */
	optind = 0; /* glibc: start anew */
	while (e == ERR_OK &&
	       (got = getopt_long(argc, argv, ":", longs, &index)) != -1) {
		if (got == 0)
			e = take(&places[index], argv[0], why);
		else if (got == ':')
			e = err_set(why, ERR_INVALID, "%s: %s needs a value",
				    argv[0], argv[optind - 1]);
		else
			e = err_set(why, ERR_INVALID, "%s: cannot use %s",
				    argv[0], argv[optind - 1]);
	}
	return e == ERR_OK ? take_argument(argc, argv, what, argument, why) : e;
}
