/* changed: rows of files were changed by SQL */
#include "cgi-gateway/admin/commands.h"
#include "cgi-gateway/admin/gateway_admin.h"
#include "common/admin/failure.h"
#include "common/admin/options.h"
#include "common/db/db_known.h"

int cmd_changed(int argc, char **argv)
{
	struct errmsg why = { "" };
	struct gateway_admin g;
	int status = options_read(argc, argv, NULL, NULL, NULL);
	enum err e;

	if (status == 0)
		status = gateway_admin_open(&g, NEEDS_DATABASE);
	if (status != 0)
		return status;
	e = db_known_forget(g.app.db, DB_KNOWN_FILES, &why);
	if (e != ERR_OK)
		status = admin_fail_db(e, &why);
	else
		(void)printf("The rows of files are read again.\n");
	gateway_admin_close(&g);
	return status;
}
