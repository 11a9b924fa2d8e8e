#include "cgi-auth/admin/cmd_database.h"

#include "cgi-auth/admin/cmd_report.h"

int cmd_database_open(struct cmd_database *d)
{
	struct errmsg why = { "" };
	struct db_config config;
	enum err e = config_load(auth_items, AUTH_ITEMS, &d->auth, &why);

	if (e != ERR_OK)
		return cmd_fail_err(e, &why);
	e = settings_load_tool(&auth_defaults, &d->settings, &why);
	if (e != ERR_OK)
		return cmd_fail_err(e, &why);
	config = settings_db(&d->settings);
	config.pool = 1;
	e = passwords_init(&d->passwords, d->auth.password_memory,
			   d->auth.password_passes, 1, 0);
	if (e != ERR_OK)
		goto settings;
	e = db_open(&config, &d->db, &why);
	if (e == ERR_OK)
		return 0;
	passwords_release(&d->passwords);
settings:
	settings_release(&d->settings);
	return cmd_fail_err(e, &why);
}

void cmd_database_close(struct cmd_database *d)
{
	db_close(d->db);
	passwords_release(&d->passwords);
	settings_release(&d->settings);
}

int cmd_database_find(struct cmd_database *d, const char *email,
		      struct user *out)
{
	struct errmsg why = { "" };
	enum err e = users_by_email(d->db, span_of(email), out, &why);

	if (e == ERR_NOT_FOUND)
		return cmd_fail(EXIT_REFUSED,
				"there is no user %s; auth-admin user list "
				"shows those that are",
				email);
	return e == ERR_OK ? 0 : cmd_fail_db(e, &why);
}
