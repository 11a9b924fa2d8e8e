#include "cgi-auth/admin/auth_admin.h"

#include "common/admin/exit_status.h"
#include "common/admin/failure.h"
#include "common/db/db_known.h"

static enum err open_database(struct auth_admin *a,
			      const struct db_config *config,
			      struct errmsg *why)
{
	const struct db_known_config known = { .of = DB_KNOWN_SESSIONS,
					       .role = DB_KNOWN_TOOL,
					       .dir = a->settings.changes_dir };
	enum err e = db_open(config, &a->db, why);

	if (e != ERR_OK)
		return e;
	e = db_known_open(a->db, &known, why);
	if (e != ERR_OK)
		db_close(a->db);
	return e;
}

int auth_admin_open(struct auth_admin *a)
{
	struct errmsg why = { "" };
	struct db_config config;
	enum err e = config_load(auth_items, AUTH_ITEMS, &a->auth, &why);

	if (e != ERR_OK)
		return admin_fail_settings(e, &why);
	e = settings_load_tool(&auth_defaults, &a->settings, &why);
	if (e != ERR_OK)
		goto items;
	config = settings_db(&a->settings);
	config.pool = 1;
	e = passwords_init(&a->passwords, a->auth.password_memory,
			   a->auth.password_passes, 1, 0);
	if (e != ERR_OK)
		goto settings;
	e = open_database(a, &config, &why);
	if (e == ERR_OK)
		return 0;
	passwords_release(&a->passwords);
settings:
	settings_release(&a->settings);
items:
	config_release(auth_items, AUTH_ITEMS, &a->auth);
	return admin_fail_settings(e, &why);
}

void auth_admin_close(struct auth_admin *a)
{
	db_close(a->db);
	passwords_release(&a->passwords);
	settings_release(&a->settings);
	config_release(auth_items, AUTH_ITEMS, &a->auth);
}

int auth_admin_find(struct auth_admin *a, const char *email, struct user *out)
{
	struct errmsg why = { "" };
	enum err e = users_by_email(a->db, span_of(email), out, &why);

	if (e == ERR_NOT_FOUND)
		return admin_fail(EXIT_NEGATIVE,
				  "there is no user %s; auth-admin user list "
				  "shows all users",
				  email);
	return e == ERR_OK ? 0 : admin_fail_db(e, &why);
}

int auth_admin_open_user(struct auth_admin *a, const char *email,
			 struct user *out)
{
	int status = auth_admin_open(a);

	if (status != 0)
		return status;
	status = auth_admin_find(a, email, out);
	if (status != 0)
		auth_admin_close(a);
	return status;
}
