#include "cgi-gateway/admin/gateway_admin.h"

#include "cgi-gateway/app/chosen_store.h"
#include "cgi-gateway/app/gateway_settings.h"
#include "common/admin/exit_status.h"
#include "common/admin/failure.h"
#include "common/db/db_known.h"

#include <time.h>

static enum err open_all(struct gateway_admin *g,
			 enum gateway_admin_needs needs, struct errmsg *why)
{
	struct db_known_config known = { .of = DB_KNOWN_FILES,
					 .role = DB_KNOWN_TOOL };
	struct app *app = &g->app;
	struct db_config db;
	enum err e = config_load(gateway_settings, GATEWAY_SETTINGS, app, why);

	if (e != ERR_OK)
		return e;
	e = gateway_settings_check(app, why);
	if (e == ERR_OK)
		e = settings_load_tool(&gateway_defaults, &g->settings, why);
	if (e != ERR_OK)
		goto own;
	db = settings_db(&g->settings);
	e = db_open(&db, &app->db, why);
	if (e != ERR_OK)
		goto common;
	known.dir = g->settings.changes_dir;
	e = db_known_open(app->db, &known, why);
	if (e == ERR_OK && needs == NEEDS_DATABASE_AND_STORE)
		e = chosen_store_open(app, why);
	if (e == ERR_OK)
		return e;
	db_close(app->db);
common:
	settings_release(&g->settings);
own:
	config_release(gateway_settings, GATEWAY_SETTINGS, app);
	return e;
}

int gateway_admin_open(struct gateway_admin *g, enum gateway_admin_needs needs)
{
	struct errmsg why = { "" };
	enum err e;

	*g = (struct gateway_admin) { .now = (int64_t)time(NULL) };
	e = open_all(g, needs, &why);
	return e == ERR_OK ? 0 : admin_fail_settings(e, &why);
}

int gateway_admin_fail(enum err e, const struct errmsg *why)
{
	if (e != ERR_UNAVAILABLE && e != ERR_OVERLOADED)
		return admin_fail_db(e, why);
	return admin_fail(EX_UNAVAILABLE,
			  "the database or the file store is unavailable (%s); "
			  "check the settings MYSQL_* and DATA_DIR",
			  why->text);
}

void gateway_admin_close(struct gateway_admin *g)
{
	store_close(g->app.store);
	db_close(g->app.db);
	settings_release(&g->settings);
	config_release(gateway_settings, GATEWAY_SETTINGS, &g->app);
}
