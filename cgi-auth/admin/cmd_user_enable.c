/* user disable, user enable, user delete: one change to one row */
#include "cgi-auth/admin/audit_change.h"
#include "cgi-auth/admin/auth_admin.h"
#include "cgi-auth/admin/commands.h"
#include "cgi-auth/admin/prompt.h"
#include "common/admin/exit_status.h"
#include "common/admin/failure.h"
#include "common/admin/options.h"

#include <time.h>

struct change {
	enum err (*make)(struct db *db, uint64_t user, struct errmsg *why);
	const char *event; /* in the audit table */
	const char *done;  /* printed after the email */
};

static enum err disable(struct db *db, uint64_t user, struct errmsg *why)
{
	return users_disable(db, user, time(NULL), why);
}

static const struct change disabling = { disable, "user-disable",
					 "can no longer log in" };
static const struct change enabling = { users_enable, "user-enable",
					"can log in" };
static const struct change deletion = { users_delete, "user-delete",
					"is deleted" };

static int make(struct auth_admin *a, const struct user *u,
		const struct change *c)
{
	struct errmsg why = { "" };
	enum err e = c->make(a->db, u->id, &why);

	if (e != ERR_OK)
		return admin_fail_db(e, &why);
	audit_change(a, c->event, u, "ok");
	(void)printf("%s %s.\n", u->email, c->done);
	return 0;
}

static int open_and_make(int argc, char **argv, const struct change *c)
{
	struct auth_admin a;
	struct user u;
	const char *email;
	int status = options_read(argc, argv, NULL, "EMAIL", &email);

	if (status == 0)
		status = auth_admin_open_user(&a, email, &u);
	if (status != 0)
		return status;
	status = make(&a, &u, c);
	auth_admin_close(&a);
	return status;
}

int cmd_user_disable(int argc, char **argv)
{
	return open_and_make(argc, argv, &disabling);
}

int cmd_user_enable(int argc, char **argv)
{
	return open_and_make(argc, argv, &enabling);
}

static int confirm(const struct user *u)
{
	char question[CLAIMS_EMAIL_MAX + 80];
	bool asked;

	(void)snprintf(question, sizeof(question),
		       "Delete %s (user %llu) permanently?", u->email,
		       (unsigned long long)u->id);
	if (prompt_yes(question, &asked))
		return 0;
	if (asked)
		return admin_fail(EXIT_NEGATIVE, "%s was not deleted",
				  u->email);
	return admin_fail_usage("there is no terminal to ask at; delete %s "
				"with --yes",
				u->email);
}

int cmd_user_delete(int argc, char **argv)
{
	bool yes = false;
	const struct option_place options[] = {
		{ .name = "yes", .flag = &yes },
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
	if (!yes)
		status = confirm(&u);
	if (status == 0)
		status = make(&a, &u, &deletion);
	auth_admin_close(&a);
	return status;
}
