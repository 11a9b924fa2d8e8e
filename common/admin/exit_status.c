#include "common/admin/exit_status.h"

const char exit_status_help[] =
	"Exit status:\n"
	"  0   done\n"
	"  1   the result is negative: what the command works on is missing, "
	"exists\n"
	"      already or was not confirmed; or something wrong was found, "
	"such "
	"as a\n"
	"      damaged file\n"
	"  64  the command line is wrong\n"
	"  69  the database or the file store is unavailable\n"
	"  71  out of memory\n"
	"  74  a file or the output cannot be read or written\n"
	"  75  stopped by a signal before the end\n"
	"  78  a setting, a right or the database schema is wrong\n";

int exit_status_of(enum err e)
{
	switch (e) {
	case ERR_OK:
		return 0;
	case ERR_NOT_FOUND:
	case ERR_CONFLICT:
		return EXIT_NEGATIVE;
	case ERR_UNAVAILABLE:
	case ERR_OVERLOADED:
	case ERR_BUSY:
		return EX_UNAVAILABLE;
	case ERR_MEMORY:
		return EX_OSERR;
	case ERR_IO:
	case ERR_FULL:
		return EX_IOERR;
	default:
		return EX_CONFIG;
	}
}
