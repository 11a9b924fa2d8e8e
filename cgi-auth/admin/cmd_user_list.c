/* user list, user show */
#include "cgi-auth/admin/cmd_database.h"
#include "cgi-auth/admin/cmd_record.h"
#include "cgi-auth/admin/cmd_report.h"
#include "cgi-auth/admin/commands.h"
#include "common/codec/http_date.h"

struct listing {
	bool json;
	size_t count;
};

static enum err print_json(const struct user *u, size_t before)
{
	struct json_object *o = cmd_record_user(u);
	struct span text = json_write(o);

	(void)printf("%s\n%.*s", before > 0 ? "," : "", SPAN_ARG(text));
	json_object_put(o);
	return o != NULL ? ERR_OK : ERR_MEMORY;
}

static enum err print(const struct user *u, void *arg)
{
	struct listing *l = arg;
	char created[RFC3339_LEN + 1];

	if (l->json)
		return print_json(u, l->count++);
	if (l->count++ == 0)
		(void)printf("%-6s %-32s %-5s %-8s %-10s %-20s %s\n", "ID",
			     "EMAIL", "ADMIN", "STATE", "PASSWORD", "CREATED",
			     "SCOPE");
	rfc3339_format(u->created_at, created);
	(void)printf("%-6llu ", (unsigned long long)u->id);
	cmd_put_text(u->email, 32);
	(void)printf(" %-5s %-8s %-10s %-20s ", u->admin ? "yes" : "no",
		     u->disabled_at == USER_ENABLED ? "enabled" : "disabled",
		     password_kind_name(password_kind(u->password)), created);
	cmd_put_text(u->scope, 0);
	(void)printf("\n");
	return ERR_OK;
}

int cmd_user_list(int argc, char **argv)
{
	struct listing l = { .count = 0 };
	const struct option_place options[] = { { .name = "json",
						  .flag = &l.json } };
	struct errmsg why = { "" };
	struct cmd_database d;
	int status = cmd_take_options(argc, argv, options, 1, NULL, NULL);
	enum err e;

	if (status == 0)
		status = cmd_database_open(&d);
	if (status != 0)
		return status;
	if (l.json)
		(void)printf("[");
	e = users_each(d.db, print, &l, &why);
	if (e != ERR_OK)
		status = cmd_fail_db(e, &why);
	else if (l.json)
		(void)printf("%s]\n", l.count > 0 ? "\n" : "");
	else if (l.count == 0)
		(void)printf("No users yet; add one with: auth-admin user add "
			     "EMAIL\n");
	cmd_database_close(&d);
	return status != 0 ? status : cmd_finish_output();
}

int cmd_user_show(int argc, char **argv)
{
	bool json = false;
	const struct option_place options[] = { { .name = "json",
						  .flag = &json } };
	struct cmd_database d;
	struct user u;
	const char *email;
	int status = cmd_take_options(argc, argv, options, 1, "EMAIL", &email);

	if (status == 0)
		status = cmd_database_open(&d);
	if (status != 0)
		return status;
	status = cmd_database_find(&d, email, &u);
	if (status == 0)
		cmd_record_print_user(&u, json);
	cmd_database_close(&d);
	return status != 0 ? status : cmd_finish_output();
}
