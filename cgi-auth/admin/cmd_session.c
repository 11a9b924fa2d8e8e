/* session list, session end: where a user is logged in, and which API tokens
 * there are */
#include "cgi-auth/admin/cmd_audit.h"
#include "cgi-auth/admin/cmd_database.h"
#include "cgi-auth/admin/cmd_report.h"
#include "cgi-auth/admin/commands.h"
#include "cgi-auth/app/session_json.h"
#include "common/codec/http_date.h"

#include <time.h>

struct listing {
	bool json;
	size_t count;
};

static void put_time(int64_t t)
{
	char text[RFC3339_LEN + 1] = "never";

	if (t != SESSION_NEVER)
		rfc3339_format(t, text);
	(void)printf(" %-20s", text);
}

static enum err print_json(const struct session *s, size_t before)
{
	struct json_object *o = session_json(s);
	struct span text;

	if (o == NULL)
		return ERR_MEMORY;
	json_set_str(o, "kind", s->api ? "api" : "login");
	text = json_write(o);
	(void)printf("%s\n%.*s", before > 0 ? "," : "", SPAN_ARG(text));
	json_object_put(o);
	return ERR_OK;
}

static enum err print(const struct session *s, void *arg)
{
	struct listing *l = arg;

	if (l->json)
		return print_json(s, l->count++);
	if (l->count++ == 0)
		(void)printf("%-22s %-5s %-20s %-20s %-20s %s\n", "ID", "KIND",
			     "CREATED", "EXPIRES", "LAST USED",
			     "NAME OR ADDRESS");
	(void)printf("%-22s %-5s", s->id, s->api ? "api" : "login");
	put_time(s->created_at);
	put_time(s->expires_at);
	put_time(s->last_used_at);
	(void)printf(" ");
	cmd_put_text(s->api ? s->name : s->address, 0);
	(void)printf("\n");
	return ERR_OK;
}

static int list(struct cmd_database *d, uint64_t user, struct listing *l)
{
	struct errmsg why = { "" };
	int64_t now = time(NULL);
	enum err e;

	if (l->json)
		(void)printf("[");
	e = sessions_each(d->db, user, false, now, print, l, &why);
	if (e == ERR_OK)
		e = sessions_each(d->db, user, true, now, print, l, &why);
	if (e != ERR_OK)
		return cmd_fail_db(e, &why);
	if (l->json)
		(void)printf("%s]\n", l->count > 0 ? "\n" : "");
	else if (l->count == 0)
		(void)printf("No sessions.\n");
	return 0;
}

int cmd_session_list(int argc, char **argv)
{
	struct listing l = { .count = 0 };
	const struct option_place options[] = { { .name = "json",
						  .flag = &l.json } };
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
		status = list(&d, u.id, &l);
	cmd_database_close(&d);
	return status != 0 ? status : cmd_finish_output();
}

static int end_id(struct cmd_database *d, const char *id)
{
	const struct user nobody = { .id = 0 }; /* the id says whose */
	struct errmsg why = { "" };
	enum err e = sessions_end_id(d->db, id, time(NULL), &why);

	if (e == ERR_NOT_FOUND)
		return cmd_fail(EXIT_REFUSED,
				"there is no session %s, or it has ended; "
				"auth-admin session list EMAIL shows a user's",
				id);
	if (e != ERR_OK)
		return cmd_fail_db(e, &why);
	cmd_audit(d, "session-end", &nobody, id);
	(void)printf("Session %s has ended.\n", id);
	return 0;
}

static int end_user(struct cmd_database *d, const char *email)
{
	struct sessions_chosen all = { .tokens = true, .but = "" };
	struct errmsg why = { "" };
	struct user u;
	int status = cmd_database_find(d, email, &u);
	enum err e;

	if (status != 0)
		return status;
	e = sessions_end_chosen(d->db, u.id, all, time(NULL), &why);
	if (e != ERR_OK)
		return cmd_fail_db(e, &why);
	cmd_audit(d, "session-end", &u, "all");
	(void)printf("Every session of %s has ended, API tokens too.\n",
		     u.email);
	return 0;
}

/* An id has no "@", and an email has one */
int cmd_session_end(int argc, char **argv)
{
	struct cmd_database d;
	const char *which;
	int status =
		cmd_take_options(argc, argv, NULL, 0, "EMAIL or ID", &which);

	if (status == 0)
		status = cmd_database_open(&d);
	if (status != 0)
		return status;
	status = ident_is_random(span_of(which)) ? end_id(&d, which)
						 : end_user(&d, which);
	cmd_database_close(&d);
	return status != 0 ? status : cmd_finish_output();
}
