#include "cgi-auth/admin/cmd_report.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

int cmd_fail(int status, const char *fmt, ...)
{
	va_list ap;

	(void)fflush(stdout);
	(void)fprintf(stderr, "auth-admin: ");
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "\n");
	return status;
}

static const char *reason(enum err e, const struct errmsg *why)
{
	return why->text[0] != '\0' ? why->text : err_text(e);
}

int cmd_fail_db(enum err e, const struct errmsg *why)
{
	if (e == ERR_UNAVAILABLE)
		return cmd_fail(EX_UNAVAILABLE,
				"the database is away (%s); check that it "
				"runs, and the settings MYSQL_*",
				reason(e, why));
	if (e == ERR_IO)
		return cmd_fail(EX_CONFIG,
				"the database refused (%s); check that the "
				"schema is installed in MYSQL_DB and that "
				"MYSQL_USER has its rights",
				reason(e, why));
	return cmd_fail_err(e, why);
}

int cmd_fail_err(enum err e, const struct errmsg *why)
{
	int status = EX_CONFIG;

	if (e == ERR_NOT_FOUND || e == ERR_CONFLICT)
		status = EXIT_REFUSED;
	else if (e == ERR_IO)
		status = EX_IOERR;
	else if (e == ERR_MEMORY)
		status = EX_OSERR;
	return cmd_fail(status, "%s", reason(e, why));
}

int cmd_finish_output(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	return cmd_fail(EX_IOERR, "cannot write the output: %s",
			strerror(errno));
}

void cmd_put_text(const char *s, int width)
{
	int column = 0;

	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		(void)putchar(c < 0x20 || c == 0x7f ? '?' : c);
		column += (c & 0xc0) != 0x80;
	}
	for (; column < width; column++)
		(void)putchar(' ');
}

int cmd_take_options(int argc, char **argv, const struct option_place *places,
		     size_t count, const char *what, const char **argument)
{
	struct errmsg why;

	if (options_read(argc, argv, places, count, what, argument, &why) ==
	    ERR_OK)
		return 0;
	return cmd_fail(EX_USAGE, "%s; see auth-admin %s --help", why.text,
			argv[0]);
}
