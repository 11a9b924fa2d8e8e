#include "common/admin/failure.h"

#include "common/admin/exit_status.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static const char *program = "", *command = "";

void admin_fail_begin(const char *program_name, const char *command_name)
{
	program = program_name;
	command = command_name;
}

static const char *blank(void)
{
	return command[0] != '\0' ? " " : "";
}

static void print_line(const char *fmt, va_list ap, bool see_help)
{
	(void)fflush(stdout);
	(void)fprintf(stderr, "%s%s%s: ", program, blank(), command);
	(void)vfprintf(stderr, fmt, ap);
	if (see_help)
		(void)fprintf(stderr, "; see %s%s%s --help", program, blank(),
			      command);
	(void)fprintf(stderr, "\n");
}

int admin_fail(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_line(fmt, ap, false);
	va_end(ap);
	return status;
}

int admin_fail_usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_line(fmt, ap, true);
	va_end(ap);
	return EX_USAGE;
}

static const char *reason(enum err e, const struct errmsg *why)
{
	return why->text[0] != '\0' ? why->text : err_text(e);
}

int admin_fail_err(enum err e, const struct errmsg *why)
{
	return admin_fail(exit_status_of(e), "%s", reason(e, why));
}

int admin_fail_db(enum err e, const struct errmsg *why)
{
	if (e == ERR_UNAVAILABLE || e == ERR_OVERLOADED)
		return admin_fail(
			EX_UNAVAILABLE,
			"the database is unavailable (%s); check that it is "
			"running and that the MYSQL_* settings are right",
			reason(e, why));
	if (e == ERR_IO)
		return admin_fail(
			EX_CONFIG,
			"the database rejected a statement (%s); check that "
			"the schema is installed in MYSQL_DB and that "
			"MYSQL_USER has the privileges it needs",
			reason(e, why));
	return admin_fail_err(e, why);
}

int admin_fail_settings(enum err e, const struct errmsg *why)
{
	return admin_fail(e == ERR_MEMORY ? EX_OSERR : EX_CONFIG, "%s",
			  reason(e, why));
}
