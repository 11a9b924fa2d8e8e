/* user disable, user enable, user delete: one change to one row */
#include "cgi-auth/admin/cmd_audit.h"
#include "cgi-auth/admin/cmd_database.h"
#include "cgi-auth/admin/cmd_prompt.h"
#include "cgi-auth/admin/cmd_report.h"
#include "cgi-auth/admin/commands.h"

#include <time.h>

typedef enum err change_fn(struct db *db, const struct user *u,
			   struct errmsg *why);

static enum err disable(struct db *db, const struct user *u, struct errmsg *why)
{
	return users_disable(db, u->id, time(NULL), why);
}

static enum err enable(struct db *db, const struct user *u, struct errmsg *why)
{
	return users_enable(db, u->id, why);
}

static enum err delete (struct db *db, const struct user *u,
			struct errmsg *why) {
	return users_delete(db, u->id, why);
}

static int change(struct cmd_database *d, const struct user *u, change_fn *how,
		  const char *done)
{
	struct errmsg why = { "" };
	enum err e = how(d->db, u, &why);

	if (e != ERR_OK)
		return cmd_fail_db(e, &why);
	cmd_audit(d,
		  how == disable  ? "user-disable"
		  : how == enable ? "user-enable"
				  : "user-delete",
		  u, "ok");
	(void)printf("%s %s.\n", u->email, done);
	return cmd_finish_output();
}

static int change_one(int argc, char **argv, change_fn *how, const char *done)
{
	struct cmd_database d;
	struct user u;
	const char *email;
	int status = cmd_take_options(argc, argv, NULL, 0, "EMAIL", &email);

	if (status == 0)
		status = cmd_database_open(&d);
	if (status != 0)
		return status;
	status = cmd_database_find(&d, email, &u);
	if (status == 0)
		status = change(&d, &u, how, done);
	cmd_database_close(&d);
	return status;
}

int cmd_user_disable(int argc, char **argv)
{
	return change_one(argc, argv, disable, "can log in no more");
}

int cmd_user_enable(int argc, char **argv)
{
	return change_one(argc, argv, enable, "can log in");
}

static int confirm(const char *self, const struct user *u)
{
	char question[CLAIMS_EMAIL_MAX + 80];
	bool asked;

	(void)snprintf(question, sizeof(question),
		       "Delete %s (user %llu) for ever?", u->email,
		       (unsigned long long)u->id);
	if (cmd_prompt_yes(question, &asked))
		return 0;
	if (asked)
		return cmd_fail(EXIT_REFUSED, "%s was not deleted", u->email);
	return cmd_fail(EX_USAGE,
			"%s: there is no terminal to ask at; say --yes to "
			"delete %s",
			self, u->email);
}

int cmd_user_delete(int argc, char **argv)
{
	bool yes = false;
	const struct option_place options[] = { { .name = "yes",
						  .flag = &yes } };
	struct cmd_database d;
	struct user u;
	const char *email;
	int status = cmd_take_options(argc, argv, options, 1, "EMAIL", &email);

	if (status == 0)
		status = cmd_database_open(&d);
	if (status != 0)
		return status;
	status = cmd_database_find(&d, email, &u);
	if (status == 0 && !yes)
		status = confirm(argv[0], &u);
	if (status == 0)
		status = change(&d, &u, delete, "is deleted");
	cmd_database_close(&d);
	return status;
}
