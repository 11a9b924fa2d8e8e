/* stat: count files, bytes and owners */
#include "cgi-gateway/admin/commands.h"
#include "cgi-gateway/admin/gateway_admin.h"
#include "common/admin/failure.h"
#include "common/admin/options.h"
#include "common/admin/output.h"

static void print_total(const struct files_total *t, bool json)
{
	struct json_object *o;

	if (!json) {
		(void)printf("%lld files, %lld bytes, %lld owners\n",
			     (long long)t->files, (long long)t->bytes,
			     (long long)t->owners);
		return;
	}
	o = output_object();
	json_set_int(o, "files", t->files);
	json_set_int(o, "bytes", t->bytes);
	json_set_int(o, "owners", t->owners);
	output_json(o);
}

int cmd_stat(int argc, char **argv)
{
	bool json = false;
	const struct option_place options[] = {
		{ .name = "json", .flag = &json },
		{ .name = NULL },
	};
	struct files_total t;
	struct errmsg why = { "" };
	struct gateway_admin g;
	int status = options_read(argc, argv, options, NULL, NULL);
	enum err e;

	if (status == 0)
		status = gateway_admin_open(&g, NEEDS_DATABASE);
	if (status != 0)
		return status;
	e = files_count(g.app.db, &t, &why);
	if (e == ERR_OK)
		print_total(&t, json);
	else
		status = admin_fail_db(e, &why);
	gateway_admin_close(&g);
	return status;
}
