/* index: add the names of files from before an upgrade to the index */
#include "cgi-gateway/admin/commands.h"
#include "cgi-gateway/admin/gateway_admin.h"
#include "cgi-gateway/tables/name_index.h"
#include "common/admin/options.h"
#include "common/admin/output.h"

static enum err index_all(struct db *db, int64_t *all, struct errmsg *why)
{
	int64_t count;
	enum err e;

	while ((e = name_index_rest(db, &count, why)) == ERR_OK)
		*all += count;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

int cmd_index(int argc, char **argv)
{
	struct errmsg why = { "" };
	struct gateway_admin g;
	struct json_object *o;
	bool json = false;
	int64_t all = 0;
	const struct option_place options[] = {
		{ .name = "json", .flag = &json },
		{ .name = NULL },
	};
	int status = options_read(argc, argv, options, NULL, NULL);
	enum err e;

	if (status == 0)
		status = gateway_admin_open(&g, NEEDS_DATABASE);
	if (status != 0)
		return status;
	e = index_all(g.app.db, &all, &why);
	if (json) {
		o = output_object();
		json_set_int(o, "indexed", all);
		output_json(o);
	} else {
		(void)printf("indexed %lld names\n", (long long)all);
	}
	if (e != ERR_OK)
		status = gateway_admin_fail(e, &why);
	gateway_admin_close(&g);
	return status;
}
