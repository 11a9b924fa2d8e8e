/* user list, user show */
#include "cgi-auth/admin/auth_admin.h"
#include "cgi-auth/admin/commands.h"
#include "cgi-auth/admin/user_output.h"
#include "common/admin/failure.h"
#include "common/admin/listing.h"
#include "common/admin/options.h"

static const struct listing_column columns[] = {
	{ "ID", 6 },	    { "EMAIL", 32 },   { "ADMIN", 5 }, { "STATE", 8 },
	{ "PASSWORD", 10 }, { "CREATED", 20 }, { "SCOPE", 0 }, { NULL, 0 },
};

static enum err print_user(const struct user *u, void *arg)
{
	struct listing *l = arg;
	char id[24];

	if (l->json)
		return listing_object(l, user_output_json(u));
	(void)snprintf(id, sizeof(id), "%llu", (unsigned long long)u->id);
	listing_cell(l, id);
	listing_cell(l, u->email);
	listing_cell(l, u->admin ? "yes" : "no");
	listing_cell(l,
		     u->disabled_at == USER_ENABLED ? "enabled" : "disabled");
	listing_cell(l, password_kind_name(password_kind(u->password)));
	listing_time(l, u->created_at, -1, "");
	listing_cell(l, u->scope);
	return ERR_OK;
}

int cmd_user_list(int argc, char **argv)
{
	struct listing l = { .columns = columns };
	const struct option_place options[] = {
		{ .name = "json", .flag = &l.json },
		{ .name = NULL },
	};
	struct errmsg why = { "" };
	struct auth_admin a;
	int status = options_read(argc, argv, options, NULL, NULL);
	enum err e;

	if (status == 0)
		status = auth_admin_open(&a);
	if (status != 0)
		return status;
	listing_begin(&l);
	e = users_each(a.db, print_user, &l, &why);
	if (e == ERR_OK)
		listing_end(&l, "No users yet; add one with: auth-admin user "
				"add EMAIL");
	else
		status = admin_fail_db(e, &why);
	auth_admin_close(&a);
	return status;
}

int cmd_user_show(int argc, char **argv)
{
	bool json = false;
	const struct option_place options[] = {
		{ .name = "json", .flag = &json },
		{ .name = NULL },
	};
	struct auth_admin a;
	struct user u;
	const char *email;
	int status = options_read(argc, argv, options, "EMAIL", &email);

	if (status == 0)
		status = auth_admin_open_user(&a, email, &u);
	if (status != 0)
		return status;
	user_output(&u, json);
	auth_admin_close(&a);
	return 0;
}
