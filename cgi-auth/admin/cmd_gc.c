/* gc: remove the rows of sessions that ended long ago */
#include "cgi-auth/admin/auth_admin.h"
#include "cgi-auth/admin/commands.h"
#include "cgi-auth/tables/sessions.h"
#include "common/admin/failure.h"
#include "common/admin/options.h"

#include <time.h>

int cmd_gc(int argc, char **argv)
{
	struct sessions_swept removed;
	struct errmsg why = { "" };
	struct auth_admin a;
	int status = options_read(argc, argv, NULL, NULL, NULL);
	enum err e;

	if (status == 0)
		status = auth_admin_open(&a);
	if (status != 0)
		return status;
	e = sessions_sweep(a.db, time(NULL), &removed, &why);
	if (e != ERR_OK)
		status = admin_fail_db(e, &why);
	else
		(void)printf("Removed %lld sessions and %lld refresh tokens "
			     "that ended over %d days ago.\n",
			     (long long)removed.sessions,
			     (long long)removed.refreshes,
			     SESSION_KEPT / 86400);
	auth_admin_close(&a);
	return status;
}
