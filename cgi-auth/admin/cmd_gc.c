/* gc: remove the rows of sessions that ended long ago */
#include "cgi-auth/admin/cmd_database.h"
#include "cgi-auth/admin/cmd_report.h"
#include "cgi-auth/admin/commands.h"
#include "cgi-auth/tables/sessions.h"

#include <time.h>

int cmd_gc(int argc, char **argv)
{
	struct sessions_swept swept;
	struct errmsg why = { "" };
	struct cmd_database d;
	int status = cmd_take_options(argc, argv, NULL, 0, NULL, NULL);
	enum err e;

	if (status == 0)
		status = cmd_database_open(&d);
	if (status != 0)
		return status;
	e = sessions_sweep(d.db, time(NULL), &swept, &why);
	if (e != ERR_OK)
		status = cmd_fail_db(e, &why);
	else
		(void)printf("Removed %lld sessions and %lld refresh tokens "
			     "that ended over %d days ago.\n",
			     (long long)swept.sessions,
			     (long long)swept.refreshes, SESSION_KEPT / 86400);
	cmd_database_close(&d);
	return status != 0 ? status : cmd_finish_output();
}
