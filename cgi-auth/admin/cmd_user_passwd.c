#include "cgi-auth/admin/cmd_audit.h"
#include "cgi-auth/admin/cmd_database.h"
#include "cgi-auth/admin/cmd_prompt.h"
#include "cgi-auth/admin/cmd_report.h"
#include "cgi-auth/admin/commands.h"

#include <sodium.h>
#include <time.h>

static int set(struct cmd_database *d, const struct user *u, bool from_stdin)
{
	char password[BASIC_PASSWORD_MAX + 1], hash[PASSWORD_HASH_MAX + 1];
	struct errmsg why = { "" };
	int status = cmd_prompt_password(from_stdin, u->email, password);
	enum err e;

	if (status != 0)
		return status;
	e = password_hash(&d->passwords, password, hash);
	sodium_memzero(password, sizeof(password));
	if (e != ERR_OK)
		return cmd_fail(EX_OSERR, "there is no memory to hash in; see "
					  "PASSWORD_MEMORY");
	e = users_set_password(d->db, u->id, hash, time(NULL), &why);
	if (e != ERR_OK)
		return cmd_fail_db(e, &why);
	cmd_audit(d, "password", u, "ok");
	return 0;
}

int cmd_user_passwd(int argc, char **argv)
{
	bool from_stdin = false;
	const struct option_place options[] = {
		{ .name = "password-stdin", .flag = &from_stdin },
	};
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
		status = set(&d, &u, from_stdin);
	if (status == 0)
		(void)printf("%s has a new password.\n", u.email);
	cmd_database_close(&d);
	return status != 0 ? status : cmd_finish_output();
}
