/* audit: the audit table, the oldest row first */
#include "cgi-auth/admin/auth_admin.h"
#include "cgi-auth/admin/commands.h"
#include "cgi-auth/tables/audit.h"
#include "common/admin/failure.h"
#include "common/admin/listing.h"
#include "common/admin/options.h"
#include "common/admin/output.h"

enum {
	LAST = 50, /* rows without --last */
	LAST_MAX = 1000000,
};

static const struct listing_column columns[] = {
	{ "AT", 21 },	   { "EVENT", 14 },  { "OUTCOME", 18 }, { "EMAIL", 26 },
	{ "ADDRESS", 22 }, { "REQUEST", 0 }, { NULL, 0 },
};

static struct json_object *row_json(const struct audit_row *r)
{
	struct json_object *o = output_object();

	json_set_int(o, "id", r->id);
	output_set_time(o, "at", r->at, -1);
	json_set_str(o, "event", r->event);
	json_set_str(o, "outcome", r->detail);
	if (r->user_id != 0)
		json_set_int(o, "user_id", (int64_t)r->user_id);
	json_set_str(o, "email", r->email);
	json_set_str(o, "address", r->address);
	json_set_str(o, "request_id", r->request_id);
	return o;
}

static enum err print_row(const struct audit_row *r, void *arg)
{
	struct listing *l = arg;

	if (l->json)
		return listing_object(l, row_json(r));
	listing_time(l, r->at, -1, "");
	listing_cell(l, r->event);
	listing_cell(l, r->detail);
	listing_cell(l, r->email);
	listing_cell(l, r->address);
	listing_cell(l, r->request_id);
	return ERR_OK;
}

static int list(struct auth_admin *a, const char *email, int64_t last,
		struct listing *l)
{
	char none[CLAIMS_EMAIL_MAX + 40];
	struct errmsg why = { "" };
	enum err e;

	(void)snprintf(none, sizeof(none), "No events are recorded%s%s.",
		       email[0] != '\0' ? " for " : "", email);
	listing_begin(l);
	e = audit_last(a->db, email, last, print_row, l, &why);
	if (e != ERR_OK)
		return admin_fail_db(e, &why);
	listing_end(l, none);
	return 0;
}

int cmd_audit(int argc, char **argv)
{
	struct listing l = { .columns = columns };
	const char *email = "";
	int64_t last = LAST;
	const struct option_place options[] = {
		{ .name = "last", .number = &last, .min = 1, .max = LAST_MAX },
		{ .name = "user", .value = &email },
		{ .name = "json", .flag = &l.json },
		{ .name = NULL },
	};
	struct auth_admin a;
	int status = options_read(argc, argv, options, NULL, NULL);

	if (status == 0)
		status = auth_admin_open(&a);
	if (status != 0)
		return status;
	status = list(&a, email, last, &l);
	auth_admin_close(&a);
	return status;
}
