/* session list, session end: the logins and API tokens of a user */
#include "cgi-auth/admin/audit_change.h"
#include "cgi-auth/admin/auth_admin.h"
#include "cgi-auth/admin/commands.h"
#include "cgi-auth/app/session_json.h"
#include "common/admin/exit_status.h"
#include "common/admin/failure.h"
#include "common/admin/listing.h"
#include "common/admin/options.h"

#include <time.h>

static const struct listing_column columns[] = {
	{ "ID", 22 },	   { "KIND", 5 },	{ "CREATED", 20 },
	{ "EXPIRES", 20 }, { "LAST USED", 20 }, { "NAME OR ADDRESS", 0 },
	{ NULL, 0 },
};

static enum err print_session(const struct session *s, void *arg)
{
	struct listing *l = arg;
	const char *kind = s->api ? "api" : "login";

	if (l->json) {
		struct json_object *o = session_json(s);

		if (o != NULL)
			json_set_str(o, "kind", kind);
		return listing_object(l, o);
	}
	listing_cell(l, s->id);
	listing_cell(l, kind);
	listing_time(l, s->created_at, SESSION_NEVER, "never");
	listing_time(l, s->expires_at, SESSION_NEVER, "never");
	listing_time(l, s->last_used_at, SESSION_NEVER, "never");
	listing_cell(l, s->api ? s->name : s->address);
	return ERR_OK;
}

static int list(struct auth_admin *a, uint64_t user, struct listing *l)
{
	struct errmsg why = { "" };
	int64_t now = time(NULL);
	enum err e;

	listing_begin(l);
	e = sessions_each(a->db, user, false, now, print_session, l, &why);
	if (e == ERR_OK)
		e = sessions_each(a->db, user, true, now, print_session, l,
				  &why);
	if (e != ERR_OK)
		return admin_fail_db(e, &why);
	listing_end(l, "No sessions.");
	return 0;
}

int cmd_session_list(int argc, char **argv)
{
	struct listing l = { .columns = columns };
	const struct option_place options[] = {
		{ .name = "json", .flag = &l.json },
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
	status = list(&a, u.id, &l);
	auth_admin_close(&a);
	return status;
}

static int end_id(struct auth_admin *a, const char *id)
{
	const struct user unknown = { .id = 0 }; /* the id identifies it */
	struct errmsg why = { "" };
	enum err e = sessions_end_id(a->db, id, time(NULL), &why);

	if (e == ERR_NOT_FOUND)
		return admin_fail(EXIT_NEGATIVE,
				  "there is no session %s, or it has ended; "
				  "auth-admin session list EMAIL shows the "
				  "sessions of a user",
				  id);
	if (e != ERR_OK)
		return admin_fail_db(e, &why);
	audit_change(a, "session-end", &unknown, id);
	(void)printf("Session %s has ended.\n", id);
	return 0;
}

static int end_user(struct auth_admin *a, const char *email)
{
	struct sessions_chosen all = { .tokens = true, .but = "" };
	struct errmsg why = { "" };
	struct user u;
	int status = auth_admin_find(a, email, &u);
	enum err e;

	if (status != 0)
		return status;
	e = sessions_end_chosen(a->db, u.id, all, time(NULL), &why);
	if (e != ERR_OK)
		return admin_fail_db(e, &why);
	audit_change(a, "session-end", &u, "all");
	(void)printf("Every session and API token of %s has ended.\n", u.email);
	return 0;
}

/* A session id never looks like an email. */
int cmd_session_end(int argc, char **argv)
{
	struct auth_admin a;
	const char *which;
	int status = options_read(argc, argv, NULL, "EMAIL or ID", &which);

	if (status == 0)
		status = auth_admin_open(&a);
	if (status != 0)
		return status;
	status = ident_is_random(span_of(which)) ? end_id(&a, which)
						 : end_user(&a, which);
	auth_admin_close(&a);
	return status;
}
