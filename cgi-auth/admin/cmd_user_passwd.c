#include "cgi-auth/admin/audit_change.h"
#include "cgi-auth/admin/auth_admin.h"
#include "cgi-auth/admin/prompt.h"
#include "cgi-auth/admin/commands.h"
#include "common/admin/exit_status.h"
#include "common/admin/failure.h"
#include "common/admin/options.h"

#include <sodium.h>
#include <time.h>

static int set(struct auth_admin *a, const struct user *u, bool from_stdin)
{
	char password[BASIC_PASSWORD_MAX + 1], hash[PASSWORD_HASH_MAX + 1];
	struct errmsg why = { "" };
	int status = prompt_password(from_stdin, u->email, password);
	enum err e;

	if (status != 0)
		return status;
	e = password_hash(&a->passwords, password, hash);
	sodium_memzero(password, sizeof(password));
	if (e != ERR_OK)
		return admin_fail(EX_OSERR, "out of memory for the password "
					    "hash; see PASSWORD_MEMORY");
	e = users_set_password(a->db, u->id, hash, time(NULL), &why);
	if (e != ERR_OK)
		return admin_fail_db(e, &why);
	audit_change(a, "password", u, "ok");
	return 0;
}

int cmd_user_passwd(int argc, char **argv)
{
	bool from_stdin = false;
	const struct option_place options[] = {
		{ .name = "password-stdin", .flag = &from_stdin },
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
	status = set(&a, &u, from_stdin);
	if (status == 0)
		(void)printf("%s has a new password.\n", u.email);
	auth_admin_close(&a);
	return status;
}
