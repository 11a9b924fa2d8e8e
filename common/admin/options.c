#include "common/admin/options.h"

#include "common/admin/failure.h"

#include <getopt.h>

static int read_number(const struct option_place *p)
{
	if (!span_to_int(span_of(optarg), p->number))
		return admin_fail_usage(
			"--%s must be a whole number, not \"%s\"", p->name,
			optarg);
	if ((p->min != 0 || p->max != 0) &&
	    (*p->number < p->min || *p->number > p->max))
		return admin_fail_usage(
			"--%s must be a number from %lld to %lld, not \"%s\"",
			p->name, (long long)p->min, (long long)p->max, optarg);
	return 0;
}

static int read_option(const struct option_place *p)
{
	if (p->number != NULL)
		return read_number(p);
	if (p->flag != NULL)
		*p->flag = true;
	else
		*p->value = optarg;
	return 0;
}

static int read_argument(int argc, char **argv, const char *what,
			 const char **argument)
{
	int left = argc - optind;

	if (what != NULL && left == 0)
		return admin_fail_usage("%s is missing", what);
	if (left > (what != NULL ? 1 : 0))
		return admin_fail_usage("\"%s\" is one argument too many",
					argv[argc - 1]);
	if (what != NULL)
		*argument = argv[optind];
	return 0;
}

int options_read(int argc, char **argv, const struct option_place *options,
		 const char *what, const char **argument)
{
	static const struct option_place none = { .name = NULL };
	struct option longs[OPTIONS_MAX + 1] = { 0 };
	int index = 0, got, status = 0;

	if (options == NULL)
		options = &none;
	for (size_t i = 0; i < OPTIONS_MAX && options[i].name != NULL; i++)
		longs[i] = (struct option) {
			.name = options[i].name,
			.has_arg = options[i].flag != NULL ? no_argument
							   : required_argument,
		};
	opterr = 0; /* its own messages do not name the command */
	optind = 0; /* glibc: start anew */
	while (status == 0 &&
	       (got = getopt_long(argc, argv, ":", longs, &index)) != -1) {
		if (got == 0)
			status = read_option(&options[index]);
		else if (got == ':')
			status = admin_fail_usage("%s needs a value",
						  argv[optind - 1]);
		else
			status = admin_fail_usage("%s is not an option of this "
						  "command",
						  argv[optind - 1]);
	}
	return status == 0 ? read_argument(argc, argv, what, argument) : status;
}
