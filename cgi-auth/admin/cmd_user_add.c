#include "cgi-auth/admin/audit_change.h"
#include "cgi-auth/admin/auth_admin.h"
#include "cgi-auth/admin/prompt.h"
#include "cgi-auth/admin/user_output.h"
#include "cgi-auth/admin/commands.h"
#include "cgi-auth/password/user_rules.h"
#include "common/admin/exit_status.h"
#include "common/admin/failure.h"
#include "common/admin/options.h"
#include "common/codec/normalize.h"

#include <sodium.h>
#include <string.h>
#include <time.h>

struct new_user {
	const char *email, *scope;
	bool admin, from_stdin, json;
};

/* Check everything that can be checked before asking for the password. --admin
 * and the word "admin" in --scope each imply the other. */
static int prepare(const struct new_user *n, struct user *u)
{
	const char *fault = user_email_fault(span_of(n->email));
	char email[NORMALIZE_SIZE];
	bool listed = span_list_has(span_of(n->scope), SPAN("admin"));
	char scope[CLAIMS_SCOPE_MAX + 2]; /* so that one too long is detected */

	/* Stored composed, so that it is found however it is typed */
	if (fault == NULL &&
	    normalize(span_of(n->email), NORMAL_NFC, email) == ERR_OK)
		fault = user_email_fault(span_of(email));
	if (fault != NULL)
		return admin_fail_usage("the email %s", fault);
	(void)snprintf(scope, sizeof(scope), "%s%s%s", n->scope,
		       n->admin && !listed && n->scope[0] != '\0' ? " " : "",
		       n->admin && !listed ? "admin" : "");
	fault = user_scope_fault(span_of(scope));
	if (fault != NULL)
		return admin_fail_usage("the scope %s", fault);
	u->admin = n->admin || listed;
	memcpy(u->scope, scope, sizeof(u->scope));
	(void)snprintf(u->email, sizeof(u->email), "%.*s", CLAIMS_EMAIL_MAX,
		       email);
	return 0;
}

static int taken(const char *email)
{
	return admin_fail(EXIT_NEGATIVE,
			  "the user %s exists already; auth-admin user passwd "
			  "sets another password",
			  email);
}

static int store(struct auth_admin *a, const struct new_user *n, struct user *u)
{
	char password[BASIC_PASSWORD_MAX + 1];
	struct errmsg why = { "" };
	enum err e;
	int status = prompt_password(n->from_stdin, n->email, password);

	if (status != 0)
		return status;
	u->created_at = time(NULL);
	e = password_hash(&a->passwords, password, u->password);
	sodium_memzero(password, sizeof(password));
	if (e != ERR_OK)
		return admin_fail(EX_OSERR, "out of memory for the password "
					    "hash; see PASSWORD_MEMORY");
	e = users_add(a->db, u, &why);
	if (e == ERR_CONFLICT)
		return taken(n->email);
	if (e != ERR_OK)
		return admin_fail_db(e, &why);
	status = auth_admin_find(a, n->email, u);
	if (status == 0)
		audit_change(a, "user-add", u, u->scope);
	return status;
}

int cmd_user_add(int argc, char **argv)
{
	struct new_user n = { .scope = "files:read files:write" };
	const struct option_place options[] = {
		{ .name = "admin", .flag = &n.admin },
		{ .name = "scope", .value = &n.scope },
		{ .name = "password-stdin", .flag = &n.from_stdin },
		{ .name = "json", .flag = &n.json },
		{ .name = NULL },
	};
	struct auth_admin a;
	struct user u = { .id = 0 }, other;
	struct errmsg why = { "" };
	int status = options_read(argc, argv, options, "EMAIL", &n.email);
	enum err e;

	if (status == 0)
		status = prepare(&n, &u);
	if (status == 0)
		status = auth_admin_open(&a);
	if (status != 0)
		return status;
	e = users_by_email(a.db, span_of(n.email), &other, &why);
	if (e == ERR_OK)
		status = taken(n.email);
	else if (e != ERR_NOT_FOUND)
		status = admin_fail_db(e, &why);
	else
		status = store(&a, &n, &u);
	if (status == 0)
		user_output_unknown_scope(u.scope);
	if (status == 0 && n.json)
		user_output(&u, true);
	else if (status == 0)
		(void)printf("Added %s as user %llu, scope \"%s\".\n", u.email,
			     (unsigned long long)u.id, u.scope);
	auth_admin_close(&a);
	return status;
}
