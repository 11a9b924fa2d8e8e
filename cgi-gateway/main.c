/* cgi-gateway - people's files: upload, list, download, delete. */
#include "cgi-gateway/app/app.h"

#include "cgi-gateway/app/gateway_settings.h"
#include "cgi-gateway/store/disk/store_disk.h"
#include "cgi-gateway/tus/tus.h"
#include "common/log/log.h"
#include "common/server/health.h"

#include <string.h>

static const struct route routes[] = {
	{ "POST", "/upload", handle_upload, "files:write" },
	{ "PUT", "/upload/*", handle_upload_named, "files:write" },
	{ "GET", "/download", handle_download, "files:read" },
	{ "GET", "/download/*", handle_download, "files:read" },
	{ "GET", "/files", handle_files, "files:read" },
	{ "GET", "/files/*/links", handle_links, "files:read" },
	{ "POST", "/files/*/links", handle_link_new, "files:write" },
	{ "GET", "/files/*", handle_file, "files:read" },
	{ "PATCH", "/files/*", handle_file_change, "files:write" },
	{ "DELETE", "/files/*", handle_file_remove, "files:write" },
	{ "DELETE", "/links/*", handle_link_end, "files:write" },
	{ "GET", "/s/*", handle_shared, NO_AUTH },
	{ "GET", "/upload-links", handle_upload_links, "files:read" },
	{ "POST", "/upload-links", handle_upload_link_new, "files:write" },
	{ "DELETE", "/upload-links/*", handle_upload_link_end, "files:write" },
	{ "PUT", "/u/*/*", handle_upload_link_put, NO_AUTH },
	{ "POST", "/u/*", handle_upload_link_post, NO_AUTH },
	{ "GET", "/u/*", handle_upload_link_show, NO_AUTH },
	{ "GET", "/usage", handle_usage, "files:read" },
	{ "POST", "/tus", handle_tus_new, "files:write" },
	{ "POST", "/tus/", handle_tus_new, "files:write" },
	{ "GET", "/tus/*", handle_tus_show, "files:write" },
	{ "PATCH", "/tus/*", handle_tus_bytes, "files:write" },
	{ "DELETE", "/tus/*", handle_tus_end, "files:write" },
	{ "GET", "/healthz", health_alive, NO_AUTH },
	{ "GET", "/readyz", handle_ready, NO_AUTH },
	{ "GET", "/metrics", handle_metrics, NO_AUTH },
};

static enum err open_content_scanner(struct app *app, struct errmsg *why)
{
	enum err e = content_scanner_open(&app->content_scanner, why);

	if (e == ERR_OK && app->content_scanner.mime_types == NULL)
		log_event(LOG_WARN, "magic", why->text);
	if (e == ERR_OK)
		app->max_upload = content_scanner_limit(&app->content_scanner,
							app->max_upload);
	return e;
}

static enum err open_store(struct app *app, bool check_only, struct errmsg *why)
{
	if (check_only)
		return store_disk_check(app->data_dir, why);
	return store_disk_open(app->data_dir, &app->store, why);
}

/* Who has the address of a link has what it gives */
static const char *const secret_paths[] = { "/s/", "/u/", NULL };

static enum err read_sendfile(struct app *app, struct errmsg *why)
{
	struct span how = span_of(app->sendfile);

	app->by_address = span_eq(how, SPAN("x-accel-redirect"));
	app->by_server = app->by_address || span_eq(how, SPAN("x-sendfile"));
	if (!app->by_server && !span_eq(how, SPAN("none")))
		return err_set(why, ERR_CONFIG,
			       "SENDFILE: \"%.40s\" is not x-sendfile, "
			       "x-accel-redirect or none",
			       app->sendfile);
	if (app->by_server && strchr(app->data_dir, '%') != NULL)
		return err_set(why, ERR_CONFIG,
			       "DATA_DIR: a server that sends the files reads "
			       "%% in their path as the start of an escape");
	return ERR_OK;
}

static enum err app_open(void *app_, struct service *s, struct errmsg *why)
{
	struct app *app = app_;
	enum err e;

	app->db = s->db;
	app->metrics = s->metrics;
	app->public_url = s->settings.public_url;
	app->streams_max = (long)((s->settings.threads * 3 + 3) / 4);
	if (read_sendfile(app, why) != ERR_OK)
		return ERR_CONFIG;
	if (gateway_settings_check(app, why) != ERR_OK)
		return ERR_CONFIG;
	e = open_content_scanner(app, why);
	if (e != ERR_OK)
		return e;
	e = open_store(app, s->check_only, why);
	if (e != ERR_OK)
		content_scanner_close(&app->content_scanner);
	return e;
}

static void app_close(void *app_)
{
	struct app *app = app_;

	store_close(app->store);
	content_scanner_close(&app->content_scanner);
}

int main(int argc, char **argv)
{
	static struct app app;
	const struct program gateway = {
		.name = "cgi-gateway",
		.summary = "the one entrance to people's files",
		.defaults = gateway_defaults,
		.items = gateway_settings,
		.item_count = GATEWAY_SETTINGS,
		.router = { routes, sizeof(routes) / sizeof(*routes) },
		.app = &app,
		.arrive = tus_arrive,
		.secret_paths = secret_paths,
		.open = app_open,
		.close = app_close,
	};

	return program_main(&gateway, argc, argv);
}
