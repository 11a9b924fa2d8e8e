/* changed: sessions or users were changed by SQL */
#include "cgi-auth/admin/auth_admin.h"
#include "cgi-auth/admin/commands.h"
#include "common/admin/failure.h"
#include "common/admin/options.h"
#include "common/db/db_known.h"

int cmd_changed(int argc, char **argv)
{
	struct errmsg why = { "" };
	struct auth_admin a;
	int status = options_read(argc, argv, NULL, NULL, NULL);
	enum err e;

	if (status == 0)
		status = auth_admin_open(&a);
	if (status != 0)
		return status;
	e = db_known_forget(a.db, DB_KNOWN_SESSIONS, &why);
	if (e != ERR_OK)
		status = admin_fail_db(e, &why);
	else
		(void)printf("Sessions and users are read again.\n");
	auth_admin_close(&a);
	return status;
}
