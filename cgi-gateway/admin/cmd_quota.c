/* quota show, quota set, quota recount */
#include "cgi-gateway/admin/commands.h"
#include "cgi-gateway/admin/gateway_admin.h"
#include "cgi-gateway/tables/file_json.h"
#include "common/admin/failure.h"
#include "common/admin/options.h"
#include "common/admin/output.h"

#include <string.h>

/* Read the options and the one argument, the number of a user. */
static int read_owner(int argc, char **argv, const struct option_place *options,
		      uint64_t *owner)
{
	const char *text;
	int64_t n;
	int status = options_read(argc, argv, options, "OWNER", &text);

	if (status != 0)
		return status;
	if (!span_to_int(span_of(text), &n) || n < 1)
		return admin_fail_usage(
			"OWNER must be the number of a user, not \"%s\"", text);
	*owner = (uint64_t)n;
	return 0;
}

/* --- show ---------------------------------------------------------------- */

static void print_line(const char *what, int64_t used, int64_t limit)
{
	(void)printf("%s %lld of ", what, (long long)used);
	if (limit == QUOTA_NONE)
		(void)puts("any number");
	else
		(void)printf("%lld\n", (long long)limit);
}

static void print_usage(uint64_t owner, const struct usage *u, bool json)
{
	struct json_object *o;

	if (!json) {
		print_line("bytes", u->bytes, u->limits.bytes);
		print_line("files", u->files, u->limits.files);
		return;
	}
	o = output_object();
	json_set_int(o, "owner", (int64_t)owner);
	json_set_int(o, "bytes", u->bytes);
	json_set_int(o, "files", u->files);
	file_json_set_limit(o, "quota_bytes", u->limits.bytes);
	file_json_set_limit(o, "quota_files", u->limits.files);
	output_json(o);
}

static int show_usage(struct gateway_admin *g, uint64_t owner, bool json)
{
	struct errmsg why = { "" };
	struct usage u;
	enum err e = quota_show(g->app.db, owner, &g->app.quota, &u, &why);

	if (e != ERR_OK)
		return admin_fail_db(e, &why);
	print_usage(owner, &u, json);
	return 0;
}

int cmd_quota_show(int argc, char **argv)
{
	bool json = false;
	const struct option_place options[] = {
		{ .name = "json", .flag = &json },
		{ .name = NULL },
	};
	struct gateway_admin g;
	uint64_t owner = 0;
	int status = read_owner(argc, argv, options, &owner);

	if (status == 0)
		status = gateway_admin_open(&g, NEEDS_DATABASE);
	if (status != 0)
		return status;
	status = show_usage(&g, owner, json);
	gateway_admin_close(&g);
	return status;
}

/* --- set ----------------------------------------------------------------- */

static bool read_limit(const char *text, int64_t *out)
{
	*out = QUOTA_KEEP;
	if (text == NULL)
		return true;
	*out = QUOTA_NONE;
	if (strcmp(text, "none") == 0)
		return true;
	*out = QUOTA_DEFAULT;
	if (strcmp(text, "default") == 0)
		return true;
	/* 0 is refused: the column's 0 means no limit */
	return span_to_int(span_of(text), out) && *out > 0 &&
	       *out <= INT64_MAX / 2;
}

static int set_limits(uint64_t owner, const struct quota_limits *limits,
		      bool json)
{
	struct errmsg why = { "" };
	struct gateway_admin g;
	int status = gateway_admin_open(&g, NEEDS_DATABASE);
	enum err e;

	if (status != 0)
		return status;
	e = quota_set(g.app.db, owner, limits, &why);
	status = e == ERR_OK ? show_usage(&g, owner, json)
			     : admin_fail_db(e, &why);
	gateway_admin_close(&g);
	return status;
}

int cmd_quota_set(int argc, char **argv)
{
	const char *bytes = NULL, *files = NULL;
	bool json = false;
	const struct option_place options[] = {
		{ .name = "bytes", .value = &bytes },
		{ .name = "files", .value = &files },
		{ .name = "json", .flag = &json },
		{ .name = NULL },
	};
	struct quota_limits limits;
	uint64_t owner = 0;
	int status = read_owner(argc, argv, options, &owner);

	if (status != 0)
		return status;
	if (bytes == NULL && files == NULL)
		return admin_fail_usage("give --bytes, --files or both");
	if (!read_limit(bytes, &limits.bytes) ||
	    !read_limit(files, &limits.files))
		return admin_fail_usage("a limit is a number above 0, \"none\" "
					"or \"default\"");
	return set_limits(owner, &limits, json);
}

/* --- recount ------------------------------------------------------------- */

struct recount {
	struct db *db;
	int64_t owners, repaired;
	struct json_object *list; /* of repaired owners; NULL: print text */
};

static void report_change(struct recount *r, uint64_t owner,
			  struct amount before, struct amount now)
{
	struct json_object *o;

	r->repaired++;
	if (r->list == NULL) {
		(void)printf("owner %llu: %lld bytes in %lld files, not "
			     "%lld in %lld\n",
			     (unsigned long long)owner, (long long)now.bytes,
			     (long long)now.files, (long long)before.bytes,
			     (long long)before.files);
		return;
	}
	o = output_object();
	json_set_int(o, "owner", (int64_t)owner);
	json_set_int(o, "bytes", now.bytes);
	json_set_int(o, "files", now.files);
	json_set_int(o, "bytes_before", before.bytes);
	json_set_int(o, "files_before", before.files);
	(void)json_object_array_add(r->list, o);
}

static enum err recount_all(struct recount *r, struct errmsg *why)
{
	struct amount before, now;
	uint64_t owner = 0;
	enum err e = quota_next(r->db, owner, &owner, why);

	while (e == ERR_OK && owner != 0) {
		e = quota_recount(r->db, owner, &before, &now, why);
		if (e != ERR_OK)
			break;
		r->owners++;
		if (before.bytes != now.bytes || before.files != now.files)
			report_change(r, owner, before, now);
		e = quota_next(r->db, owner, &owner, why);
	}
	return e;
}

static int recount(struct db *db, bool json)
{
	struct recount r = { .db = db, .list = json ? output_array() : NULL };
	struct errmsg why = { "" };
	struct json_object *o;
	enum err e = recount_all(&r, &why);

	if (e != ERR_OK) {
		json_object_put(r.list);
		return admin_fail_db(e, &why);
	}
	if (!json) {
		(void)printf("%lld owners, %lld repaired\n",
			     (long long)r.owners, (long long)r.repaired);
		return 0;
	}
	o = output_object();
	(void)json_object_object_add(o, "repaired", r.list);
	json_set_int(o, "owners", r.owners);
	output_json(o);
	return 0;
}

int cmd_quota_recount(int argc, char **argv)
{
	bool json = false;
	const struct option_place options[] = {
		{ .name = "json", .flag = &json },
		{ .name = NULL },
	};
	struct gateway_admin g;
	int status = options_read(argc, argv, options, NULL, NULL);

	if (status == 0)
		status = gateway_admin_open(&g, NEEDS_DATABASE);
	if (status != 0)
		return status;
	status = recount(g.app.db, json);
	gateway_admin_close(&g);
	return status;
}
