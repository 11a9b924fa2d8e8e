/* user set: change the rights or the email of a user. Sessions follow the
 * change: see user_change.h. */
#include "cgi-auth/admin/audit_change.h"
#include "cgi-auth/admin/auth_admin.h"
#include "cgi-auth/admin/commands.h"
#include "cgi-auth/admin/user_output.h"
#include "cgi-auth/password/user_rules.h"
#include "cgi-auth/tables/audit.h"
#include "cgi-auth/tables/user_change.h"
#include "common/admin/exit_status.h"
#include "common/admin/failure.h"
#include "common/admin/options.h"
#include "common/codec/normalize.h"

#include <string.h>
#include <time.h>

struct wanted {
	const char *email, *scope; /* NULL: as it is */
	bool admin, no_admin, json;
};

static int set_email(const struct wanted *w, struct user *to)
{
	const char *fault = user_email_fault(span_of(w->email));
	char email[NORMALIZE_SIZE];

	if (fault == NULL &&
	    normalize(span_of(w->email), NORMAL_NFC, email) == ERR_OK)
		fault = user_email_fault(span_of(email));
	if (fault != NULL)
		return admin_fail_usage("the new email %s", fault);
	(void)snprintf(to->email, sizeof(to->email), "%.*s", CLAIMS_EMAIL_MAX,
		       email);
	return 0;
}

enum { JOINED_MAX = CLAIMS_SCOPE_MAX + sizeof(" admin") };

/* Write the words of `scope` but "admin", and "admin" if so, to `out`. The scope
 * was checked, so it fits. */
static void join(const char *scope, bool admin, char out[static JOINED_MAX + 1])
{
	struct span words = span_of(scope), word;
	int len = 0;

	out[0] = '\0';
	while (span_next(&words, ' ', &word))
		if (word.len > 0 && !span_eq(word, SPAN("admin")))
			len += snprintf(out + len, JOINED_MAX + 1 - (size_t)len,
					"%s%.*s", len > 0 ? " " : "",
					SPAN_ARG(word));
	if (admin)
		(void)snprintf(out + len, JOINED_MAX + 1 - (size_t)len,
			       "%sadmin", len > 0 ? " " : "");
}

/* --admin and the word "admin" in a scope each imply the other */
static int set_rights(const struct wanted *w, struct user *to)
{
	const char *scope = w->scope != NULL ? w->scope : to->scope;
	bool listed = w->scope != NULL &&
		      span_list_has(span_of(w->scope), SPAN("admin"));
	const char *fault = user_scope_fault(span_of(scope));
	char joined[JOINED_MAX + 1];

	if (w->admin && w->no_admin)
		return admin_fail_usage("--admin and --no-admin contradict "
					"each other");
	if (w->no_admin && listed)
		return admin_fail_usage("--no-admin and the word admin in "
					"--scope contradict each other");
	if (fault != NULL)
		return admin_fail_usage("the scope %s", fault);
	to->admin = w->admin || listed ||
		    (to->admin && !w->no_admin && w->scope == NULL);
	join(scope, to->admin, joined);
	fault = user_scope_fault(span_of(joined));
	if (fault != NULL)
		return admin_fail_usage("the scope, with the word admin, %s",
					fault);
	(void)snprintf(to->scope, sizeof(to->scope), "%.*s", CLAIMS_SCOPE_MAX,
		       joined);
	return 0;
}

static int apply(const struct wanted *w, struct user *to)
{
	int status = 0;

	if (w->email != NULL)
		status = set_email(w, to);
	if (status == 0 && (w->admin || w->no_admin || w->scope != NULL))
		status = set_rights(w, to);
	return status;
}

/* Under both emails, so that a search for either finds the row */
static void record(struct auth_admin *a, const struct user *was,
		   const struct user *to)
{
	char detail[AUDIT_DETAIL_MAX * 3]; /* audit_add() cuts it */
	bool renamed = strcmp(was->email, to->email) != 0;

	(void)snprintf(detail, sizeof(detail), "scope %s%s%s",
		       to->scope[0] != '\0' ? to->scope : "(none)",
		       renamed ? ", email " : "", renamed ? to->email : "");
	audit_change(a, "user-set", was, detail);
	if (!renamed)
		return;
	(void)snprintf(detail, sizeof(detail), "scope %s, was %s",
		       to->scope[0] != '\0' ? to->scope : "(none)", was->email);
	audit_change(a, "user-set", to, detail);
}

static void print_result(const struct user *u,
			 const struct user_change_result *r)
{
	(void)printf("%s: scope \"%s\".\n", u->email, u->scope);
	if (r->logins_ended)
		(void)printf("Every login of the user has ended.\n");
	if (r->tokens_narrowed > 0 || r->tokens_ended > 0)
		(void)printf("API tokens: %d lost a part of their scope, %d "
			     "have ended.\n",
			     r->tokens_narrowed, r->tokens_ended);
}

static int set(struct auth_admin *a, const struct wanted *w,
	       const struct user *was)
{
	struct user_change_result r;
	struct errmsg why = { "" };
	struct user to = *was;
	int status = apply(w, &to);
	enum err e;

	if (status != 0)
		return status;
	e = user_change(a->db, was, &to, time(NULL), &r, &why);
	if (e == ERR_CONFLICT)
		return admin_fail(EXIT_NEGATIVE,
				  "another user has the email %s", to.email);
	if (e != ERR_OK)
		return admin_fail_db(e, &why);
	record(a, was, &to);
	if (w->scope != NULL)
		user_output_unknown_scope(to.scope);
	if (w->json)
		user_output(&to, true);
	else
		print_result(&to, &r);
	return 0;
}

/* The row that has the new email already, perhaps in another form: that of the
 * same user is no obstacle */
static int check_free(struct auth_admin *a, const struct wanted *w,
		      const struct user *u)
{
	struct errmsg why = { "" };
	struct user other;
	enum err e = ERR_NOT_FOUND;

	if (w->email != NULL)
		e = users_by_email(a->db, span_of(w->email), &other, &why);
	if (e == ERR_NOT_FOUND || (e == ERR_OK && other.id == u->id))
		return 0;
	if (e != ERR_OK)
		return admin_fail_db(e, &why);
	return admin_fail(EXIT_NEGATIVE, "another user has the email %s",
			  other.email);
}

int cmd_user_set(int argc, char **argv)
{
	struct wanted w = { .email = NULL };
	const struct option_place options[] = {
		{ .name = "admin", .flag = &w.admin },
		{ .name = "no-admin", .flag = &w.no_admin },
		{ .name = "scope", .value = &w.scope },
		{ .name = "email", .value = &w.email },
		{ .name = "json", .flag = &w.json },
		{ .name = NULL },
	};
	struct user u, unused = { .scope = "" };
	struct auth_admin a;
	const char *email;
	int status = options_read(argc, argv, options, "EMAIL", &email);

	if (status == 0 && !w.admin && !w.no_admin && w.scope == NULL &&
	    w.email == NULL)
		status = admin_fail_usage("nothing to change; use --admin, "
					  "--no-admin, --scope or --email");
	/* What is wrong in the options is reported without a database */
	if (status == 0)
		status = apply(&w, &unused);
	if (status == 0)
		status = auth_admin_open_user(&a, email, &u);
	if (status != 0)
		return status;
	status = check_free(&a, &w, &u);
	if (status == 0)
		status = set(&a, &w, &u);
	auth_admin_close(&a);
	return status;
}
