/* audit: what the table has, and what the other commands add to it */
#include "cgi-auth/admin/cmd_audit.h"

#include "cgi-auth/admin/cmd_record.h"
#include "cgi-auth/admin/cmd_report.h"
#include "cgi-auth/admin/commands.h"
#include "cgi-auth/tables/audit.h"
#include "common/codec/http_date.h"

#include <pwd.h>
#include <time.h>
#include <unistd.h>

enum {
	LAST = 50, /* rows without --last */
	LAST_MAX = 1000000,
};

void cmd_audit(struct cmd_database *d, const char *event, const struct user *u,
	       const char *detail)
{
	/* cppcheck-suppress getpwuidCalled ; the tool has one thread */
	const struct passwd *who = getpwuid(getuid());
	struct errmsg why = { "" };
	char number[24];
	struct audit_entry entry = { event,	   u->id,  u->email,
				     "auth-admin", number, detail };

	(void)snprintf(number, sizeof(number), "uid %ld", (long)getuid());
	if (who != NULL && span_of(who->pw_name).len <= AUDIT_REQUEST_MAX)
		entry.request_id = who->pw_name;
	if (audit_add(d->db, &entry, time(NULL), d->auth.audit_days, &why) !=
	    ERR_OK)
		(void)cmd_fail(0, "done, but not noted in the table audit: %s",
			       why.text);
}

struct listing {
	bool json;
	size_t count;
};

static enum err print_json(const struct audit_row *r, size_t before)
{
	struct json_object *o = json_object_new_object();
	char at[RFC3339_LEN + 1];
	struct span text;

	if (o == NULL)
		return ERR_MEMORY;
	rfc3339_format(r->at, at);
	json_set_int(o, "id", r->id);
	json_set_str(o, "at", at);
	json_set_str(o, "event", r->event);
	json_set_str(o, "outcome", r->detail);
	if (r->user_id != 0)
		json_set_int(o, "user_id", (int64_t)r->user_id);
	json_set_str(o, "email", r->email);
	json_set_str(o, "address", r->address);
	json_set_str(o, "request_id", r->request_id);
	text = json_write(o);
	(void)printf("%s\n%.*s", before > 0 ? "," : "", SPAN_ARG(text));
	json_object_put(o);
	return ERR_OK;
}

static enum err print(const struct audit_row *r, void *arg)
{
	struct listing *l = arg;
	char at[RFC3339_LEN + 1];

	if (l->json)
		return print_json(r, l->count++);
	if (l->count++ == 0)
		(void)printf("%-20s  %-14s %-18s %-26s %-22s %s\n", "AT",
			     "EVENT", "OUTCOME", "EMAIL", "ADDRESS", "REQUEST");
	rfc3339_format(r->at, at);
	(void)printf("%-20s  %-14s ", at, r->event);
	cmd_put_text(r->detail, 18);
	(void)printf(" ");
	cmd_put_text(r->email, 26);
	(void)printf(" %-22s ", r->address);
	cmd_put_text(r->request_id, 0);
	(void)printf("\n");
	return ERR_OK;
}

static int list(struct cmd_database *d, const char *email, int64_t last,
		struct listing *l)
{
	struct errmsg why = { "" };
	enum err e;

	if (l->json)
		(void)printf("[");
	e = audit_last(d->db, email, last, print, l, &why);
	if (e != ERR_OK)
		return cmd_fail_db(e, &why);
	if (l->json)
		(void)printf("%s]\n", l->count > 0 ? "\n" : "");
	else if (l->count == 0)
		(void)printf("Nothing is noted%s%s.\n",
			     email[0] != '\0' ? " for " : "", email);
	return 0;
}

int cmd_audit_list(int argc, char **argv)
{
	struct listing l = { .count = 0 };
	const char *email = "";
	int64_t last = LAST;
	const struct option_place options[] = {
		{ .name = "last", .number = &last },
		{ .name = "user", .value = &email },
		{ .name = "json", .flag = &l.json },
	};
	struct cmd_database d;
	int status = cmd_take_options(argc, argv, options, 3, NULL, NULL);

	if (status == 0 && (last < 1 || last > LAST_MAX))
		status = cmd_fail(EX_USAGE, "%s: --last takes 1 to %d", argv[0],
				  LAST_MAX);
	if (status == 0)
		status = cmd_database_open(&d);
	if (status != 0)
		return status;
	status = list(&d, email, last, &l);
	cmd_database_close(&d);
	return status != 0 ? status : cmd_finish_output();
}
