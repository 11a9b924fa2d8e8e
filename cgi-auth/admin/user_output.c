#include "cgi-auth/admin/user_output.h"

#include "common/admin/failure.h"
#include "common/admin/output.h"
#include "common/codec/http_date.h"

struct json_object *user_output_json(const struct user *u)
{
	struct json_object *o = output_object();

	json_set_int(o, "id", (int64_t)u->id);
	json_set_str(o, "email", u->email);
	json_set_bool(o, "admin", u->admin);
	json_set_str(o, "scope", u->scope);
	output_set_time(o, "created_at", u->created_at, -1);
	output_set_time(o, "disabled_at", u->disabled_at, USER_ENABLED);
	output_set_time(o, "password_changed_at", u->password_changed_at, -1);
	json_set_str(o, "password",
		     password_kind_name(password_kind(u->password)));
	return o;
}

static void print_line(const char *name, const char *value)
{
	(void)printf("%-17s ", name);
	output_text(value, 0);
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

void user_output(const struct user *u, bool json)
{
	if (json)
		output_json(user_output_json(u));
	else
		print_lines(u);
}

void user_output_unknown_scope(const char *scope)
{
	const struct span known = SPAN("files:read files:write admin");
	struct span words = span_of(scope), word;

	while (span_next(&words, ' ', &word))
		if (word.len > 0 && !span_list_has(known, word))
			(void)admin_fail(0,
					 "warning: no route of this server "
					 "asks for the word \"%.*s\" of the "
					 "scope; they ask for files:read, "
					 "files:write and admin",
					 SPAN_ARG(word));
}
