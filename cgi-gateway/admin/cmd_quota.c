/* gateway-admin quota: show, set, recount. */
#include "cgi-gateway/admin/commands.h"

#include "common/codec/json.h"

#include <string.h>
#include <sysexits.h>

static int wrong(const char *what)
{
	(void)fprintf(stderr,
		      "gateway-admin quota: %s; see gateway-admin quota "
		      "--help\n",
		      what);
	return EX_USAGE;
}

/* The one argument, a user's number. 0 or EX_USAGE */
static int read_owner(int argc, char **argv, const struct option_place *places,
		      size_t count, uint64_t *owner)
{
	const char *text;
	struct errmsg why;
	int64_t n;

	if (options_read(argc, argv, places, count, "OWNER", &text, &why) !=
	    ERR_OK)
		return wrong(why.text);
	if (!span_to_int(span_of(text), &n) || n < 1)
		return wrong("OWNER is the number of a user");
	*owner = (uint64_t)n;
	return 0;
}

/* --- show ---------------------------------------------------------------- */

static void print_limit(struct json_object *o, const char *key, int64_t limit)
{
	if (limit == QUOTA_NONE)
		(void)json_object_object_add(o, key, NULL);
	else
		json_set_int(o, key, limit);
}

static void print_line(const char *what, int64_t used, int64_t limit)
{
	(void)printf("%s %lld of ", what, (long long)used);
	if (limit == QUOTA_NONE)
		(void)puts("any number");
	else
		(void)printf("%lld\n", (long long)limit);
}

static int show(struct admin *a, uint64_t owner, bool json)
{
	struct errmsg why = { "" };
	struct json_object *o;
	struct usage u;
	enum err e = quota_show(a->app.db, owner, &a->app.quota, &u, &why);

	if (e != ERR_OK)
		return admin_fail("quota", e, &why);
	if (!json) {
		print_line("bytes", u.bytes, u.limits.bytes);
		print_line("files", u.files, u.limits.files);
		return 0;
	}
	o = json_object_new_object();
	json_set_int(o, "owner", (int64_t)owner);
	json_set_int(o, "bytes", u.bytes);
	json_set_int(o, "files", u.files);
	print_limit(o, "quota_bytes", u.limits.bytes);
	print_limit(o, "quota_files", u.limits.files);
	(void)puts(json_write(o).p);
	json_object_put(o);
	return 0;
}

static int quota_cmd_show(struct admin *a, int argc, char **argv)
{
	bool json = false;
	const struct option_place options[] = {
		{ .name = "json", .flag = &json },
	};
	uint64_t owner;
	int status = read_owner(argc, argv, options, 1, &owner);

	return status == 0 ? show(a, owner, json) : status;
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
	/* 0 would be no limit, which is not what it says */
	return span_to_int(span_of(text), out) && *out > 0 &&
	       *out <= INT64_MAX / 2;
}

static int quota_cmd_set(struct admin *a, int argc, char **argv)
{
	const char *bytes = NULL, *files = NULL;
	bool json = false;
	const struct option_place options[] = {
		{ .name = "bytes", .value = &bytes },
		{ .name = "files", .value = &files },
		{ .name = "json", .flag = &json },
	};
	struct errmsg why = { "" };
	struct quota_limits l;
	uint64_t owner;
	int status = read_owner(argc, argv, options, 3, &owner);
	enum err e;

	if (status != 0)
		return status;
	if (bytes == NULL && files == NULL)
		return wrong("set needs --bytes or --files");
	if (!read_limit(bytes, &l.bytes) || !read_limit(files, &l.files))
		return wrong("a limit is a number above 0, none, or default");
	e = quota_set(a->app.db, owner, &l, &why);
	return e == ERR_OK ? show(a, owner, json)
			   : admin_fail("quota", e, &why);
}

/* --- recount ------------------------------------------------------------- */

struct recount {
	struct admin *admin;
	int64_t owners, repaired;
	struct json_object *list; /* of those that were wrong; NULL: as text */
	struct errmsg why;
};

static void report(struct recount *r, uint64_t owner, struct amount was,
		   struct amount is)
{
	struct json_object *o;

	r->repaired++;
	if (r->list == NULL) {
		(void)printf("owner %llu: %lld bytes in %lld files, not "
			     "%lld in %lld\n",
			     (unsigned long long)owner, (long long)is.bytes,
			     (long long)is.files, (long long)was.bytes,
			     (long long)was.files);
		return;
	}
	o = json_object_new_object();
	json_set_int(o, "owner", (int64_t)owner);
	json_set_int(o, "bytes", is.bytes);
	json_set_int(o, "files", is.files);
	json_set_int(o, "bytes_before", was.bytes);
	json_set_int(o, "files_before", was.files);
	(void)json_object_array_add(r->list, o);
}

static enum err recount_all(struct recount *r)
{
	struct db *db = r->admin->app.db;
	struct amount was, is;
	uint64_t owner = 0;
	enum err e = quota_next(db, owner, &owner, &r->why);

	while (e == ERR_OK && owner != 0) {
		e = quota_recount(db, owner, &was, &is, &r->why);
		if (e != ERR_OK)
			break;
		r->owners++;
		if (was.bytes != is.bytes || was.files != is.files)
			report(r, owner, was, is);
		e = quota_next(db, owner, &owner, &r->why);
	}
	return e;
}

static int quota_cmd_recount(struct admin *a, int argc, char **argv)
{
	struct recount r = { .admin = a };
	struct json_object *o;
	bool json = false;
	const struct option_place options[] = {
		{ .name = "json", .flag = &json },
	};
	enum err e;

	if (admin_options(argc, argv, options, 1) != 0)
		return EX_USAGE;
	o = json_object_new_object();
	if (json) {
		r.list = json_object_new_array();
		(void)json_object_object_add(o, "repaired", r.list);
	}
	e = recount_all(&r);
	json_set_int(o, "owners", r.owners);
	if (e == ERR_OK && json)
		(void)puts(json_write(o).p);
	else if (e == ERR_OK)
		(void)printf("%lld owners, %lld repaired\n",
			     (long long)r.owners, (long long)r.repaired);
	json_object_put(o);
	return e == ERR_OK ? 0 : admin_fail("quota", e, &r.why);
}

int cmd_quota(struct admin *a, int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "show") == 0)
		return quota_cmd_show(a, argc - 1, argv + 1);
	if (strcmp(what, "set") == 0)
		return quota_cmd_set(a, argc - 1, argv + 1);
	if (strcmp(what, "recount") == 0)
		return quota_cmd_recount(a, argc - 1, argv + 1);
	return wrong("say show, set or recount");
}
