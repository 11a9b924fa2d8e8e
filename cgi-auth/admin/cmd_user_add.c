#include "cgi-auth/admin/cmd_audit.h"
#include "cgi-auth/admin/cmd_database.h"
#include "cgi-auth/admin/cmd_prompt.h"
#include "cgi-auth/admin/cmd_record.h"
#include "cgi-auth/admin/cmd_report.h"
#include "cgi-auth/admin/commands.h"
#include "cgi-auth/password/user_rules.h"

#include <sodium.h>
#include <string.h>
#include <time.h>

struct wish {
	const char *email, *scope;
	bool admin, from_stdin, json;
};

/* Check what can be checked before anybody is asked for a password. The scope
 * and the flag say the same of an admin, whichever was given. */
static int prepare(const char *self, const struct wish *w, struct user *u)
{
	const char *fault = user_email_fault(span_of(w->email));
	bool listed = span_list_has(span_of(w->scope), SPAN("admin"));
	char scope[CLAIMS_SCOPE_MAX + 2]; /* one too long shows */

	if (fault != NULL)
		return cmd_fail(EX_USAGE, "%s: the email %s", self, fault);
	(void)snprintf(scope, sizeof(scope), "%s%s%s", w->scope,
		       w->admin && !listed && w->scope[0] != '\0' ? " " : "",
		       w->admin && !listed ? "admin" : "");
	fault = user_scope_fault(span_of(scope));
	if (fault != NULL)
		return cmd_fail(EX_USAGE, "%s: the scope %s", self, fault);
	u->admin = w->admin || listed;
	memcpy(u->scope, scope, sizeof(u->scope));
	(void)snprintf(u->email, sizeof(u->email), "%s", w->email);
	return 0;
}

static int taken(const char *email)
{
	return cmd_fail(EXIT_REFUSED,
			"there is a user %s already; auth-admin user passwd "
			"gives another password",
			email);
}

static int store(struct cmd_database *d, const struct wish *w, struct user *u)
{
	char password[BASIC_PASSWORD_MAX + 1];
	struct errmsg why = { "" };
	enum err e;
	int status = cmd_prompt_password(w->from_stdin, w->email, password);

	if (status != 0)
		return status;
	u->created_at = time(NULL);
	e = password_hash(&d->passwords, password, u->password);
	sodium_memzero(password, sizeof(password));
	if (e != ERR_OK)
		return cmd_fail(EX_OSERR, "there is no memory to hash in; see "
					  "PASSWORD_MEMORY");
	e = users_add(d->db, u, &why);
	if (e == ERR_CONFLICT)
		return taken(w->email);
	if (e != ERR_OK)
		return cmd_fail_db(e, &why);
	status = cmd_database_find(d, w->email, u);
	if (status == 0)
		cmd_audit(d, "user-add", u, u->scope);
	return status;
}

int cmd_user_add(int argc, char **argv)
{
	struct wish w = { .scope = "files:read files:write" };
	const struct option_place options[] = {
		{ .name = "admin", .flag = &w.admin },
		{ .name = "scope", .value = &w.scope },
		{ .name = "password-stdin", .flag = &w.from_stdin },
		{ .name = "json", .flag = &w.json },
	};
	struct cmd_database d;
	struct user u = { .id = 0 }, other;
	struct errmsg why = { "" };
	int status =
		cmd_take_options(argc, argv, options, 4, "EMAIL", &w.email);
	enum err e;

	if (status == 0)
		status = prepare(argv[0], &w, &u);
	if (status == 0)
		status = cmd_database_open(&d);
	if (status != 0)
		return status;
	e = users_by_email(d.db, span_of(w.email), &other, &why);
	if (e == ERR_OK)
		status = taken(w.email);
	else if (e != ERR_NOT_FOUND)
		status = cmd_fail_db(e, &why);
	else
		status = store(&d, &w, &u);
	if (status == 0 && w.json)
		cmd_record_print_user(&u, true);
	else if (status == 0)
		(void)printf("Added %s as user %llu, scope \"%s\".\n", u.email,
			     (unsigned long long)u.id, u.scope);
	cmd_database_close(&d);
	return status != 0 ? status : cmd_finish_output();
}
