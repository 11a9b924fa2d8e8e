#include "cgi-auth/admin/cmd_record.h"

#include "cgi-auth/admin/cmd_report.h"
#include "common/codec/http_date.h"

void cmd_record_set_time(struct json_object *o, const char *key, int64_t t,
			 int64_t absent)
{
	char text[RFC3339_LEN + 1];

	if (t == absent) {
		(void)json_object_object_add(o, key, NULL);
		return;
	}
	rfc3339_format(t, text);
	json_set_str(o, key, text);
}

struct json_object *cmd_record_user(const struct user *u)
{
	struct json_object *o = json_object_new_object();

	if (o == NULL)
		return NULL;
	json_set_int(o, "id", (int64_t)u->id);
	json_set_str(o, "email", u->email);
	json_set_bool(o, "admin", u->admin);
	json_set_str(o, "scope", u->scope);
	cmd_record_set_time(o, "created_at", u->created_at, -1);
	cmd_record_set_time(o, "disabled_at", u->disabled_at, USER_ENABLED);
	cmd_record_set_time(o, "password_changed_at", u->password_changed_at,
			    -1);
	json_set_str(o, "password",
		     password_kind_name(password_kind(u->password)));
	return o;
}

static void print_line(const char *name, const char *value)
{
	(void)printf("%-17s ", name);
	cmd_put_text(value, 0);
	(void)printf("\n");
}

static void print_time(const char *name, int64_t t)
{
	char text[RFC3339_LEN + 1];

	rfc3339_format(t, text);
	print_line(name, text);
}

static void print_lines(const struct user *u)
{
	char id[24];

	(void)snprintf(id, sizeof(id), "%llu", (unsigned long long)u->id);
	print_line("id", id);
	print_line("email", u->email);
	print_line("admin", u->admin ? "yes" : "no");
	print_line("scope", u->scope);
	print_time("created", u->created_at);
	if (u->disabled_at == USER_ENABLED)
		print_line("disabled", "no");
	else
		print_time("disabled", u->disabled_at);
	print_line("password", password_kind_name(password_kind(u->password)));
	print_time("password changed", u->password_changed_at);
}

void cmd_record_print_user(const struct user *u, bool json)
{
	struct json_object *o;
	struct span text;

	if (!json) {
		print_lines(u);
		return;
	}
	o = cmd_record_user(u);
	text = json_write(o);
	(void)printf("%.*s\n", SPAN_ARG(text));
	json_object_put(o);
}
