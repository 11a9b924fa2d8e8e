#include "cgi-gateway/app/chosen_store.h"

#include "cgi-gateway/store/disk/store_disk.h"

#include <string.h>

static enum err check_escapes(const struct app *app, struct errmsg *why)
{
	if (app->by_server && strchr(app->data_dir, '%') != NULL)
		return err_set(why, ERR_CONFIG,
			       "DATA_DIR: a server that sends the files reads "
			       "%% in their path as the start of an escape; "
			       "use another directory or SENDFILE=none");
	return ERR_OK;
}

static enum err check_disk(const struct app *app, struct errmsg *why)
{
	enum err e = check_escapes(app, why);

	return e == ERR_OK ? store_disk_check(app->data_dir, why) : e;
}

static enum err open_disk(const struct app *app, struct store **out,
			  struct errmsg *why)
{
	enum err e = check_escapes(app, why);

	return e == ERR_OK ? store_disk_open(app->data_dir, out, why) : e;
}

static const struct implementation {
	const char *name;
	enum err (*check)(const struct app *app, struct errmsg *why);
	enum err (*open)(const struct app *app, struct store **out,
			 struct errmsg *why);
} implementations[] = {
	{ "disk", check_disk, open_disk },
};

enum { IMPLEMENTATIONS = sizeof(implementations) / sizeof(*implementations) };

static const struct implementation *find(const struct app *app)
{
	for (size_t i = 0; i < IMPLEMENTATIONS; i++)
		if (strcmp(implementations[i].name, app->store_name) == 0)
			return &implementations[i];
	return NULL;
}

static enum err unknown(const struct app *app, struct errmsg *why)
{
	char names[128] = "";
	size_t n = 0;

	for (size_t i = 0; i < IMPLEMENTATIONS && n < sizeof(names); i++)
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s",
				      i > 0 ? ", " : "",
				      implementations[i].name);
	return err_set(why, ERR_CONFIG,
		       "STORE: \"%.40s\" is not a store; set one of: %s",
		       app->store_name, names);
}

enum err chosen_store_known(const struct app *app, struct errmsg *why)
{
	return find(app) != NULL ? ERR_OK : unknown(app, why);
}

enum err chosen_store_open(struct app *app, struct errmsg *why)
{
	const struct implementation *i = find(app);

	return i != NULL ? i->open(app, &app->store, why) : unknown(app, why);
}

enum err chosen_store_check(const struct app *app, struct errmsg *why)
{
	const struct implementation *i = find(app);

	return i != NULL ? i->check(app, why) : unknown(app, why);
}
