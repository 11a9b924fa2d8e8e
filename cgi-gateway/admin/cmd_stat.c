/* gateway-admin stat: how much there is. */
#include "cgi-gateway/admin/commands.h"

#include "common/codec/json.h"

#include <sysexits.h>

int cmd_stat(struct admin *a, int argc, char **argv)
{
	struct files_total t;
	struct errmsg why = { "" };
	struct json_object *o;
	bool json = false;
	const struct option_place options[] = {
		{ .name = "json", .flag = &json },
	};
	enum err e;

	if (admin_options(argc, argv, options, 1) != 0)
		return EX_USAGE;
	e = files_count(a->app.db, &t, &why);
	if (e != ERR_OK)
		return admin_fail("stat", e, &why);
	if (!json) {
		(void)printf("%lld files, %lld bytes, %lld owners\n",
			     (long long)t.files, (long long)t.bytes,
			     (long long)t.owners);
		return 0;
	}
	o = json_object_new_object();
	json_set_int(o, "files", t.files);
	json_set_int(o, "bytes", t.bytes);
	json_set_int(o, "owners", t.owners);
	(void)puts(json_write(o).p);
	json_object_put(o);
	return 0;
}
