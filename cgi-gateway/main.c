/* cgi-gateway - people's files: upload, list, download, delete. */
#include "cgi-gateway/app/app.h"

#include "cgi-gateway/app/chosen_store.h"
#include "cgi-gateway/app/gateway_settings.h"
#include "cgi-gateway/routes.h"
#include "cgi-gateway/tables/admissions.h"
#include "cgi-gateway/tus/tus.h"
#include "cgi-gateway/upload/upload_whole.h"
#include "common/http/transport_fcgi.h"
#include "common/log/log.h"
#include "common/server/health.h"

static enum err open_content_scanner(struct app *app, struct errmsg *why)
{
	enum err e = content_scanner_open(&app->content_scanner, why);

	if (e == ERR_OK)
		app->max_upload = content_scanner_limit(&app->content_scanner,
							app->max_upload);
	return e;
}

/* The address of a link is all that is needed to use it */
static const char *const secret_paths[] = { "/s/", "/u/", NULL };

static enum err read_sendfile(struct app *app, struct errmsg *why)
{
	struct span how = span_of(app->sendfile);

	app->by_address = span_eq(how, SPAN("x-accel-redirect"));
	app->by_server = app->by_address || span_eq(how, SPAN("x-sendfile"));
	if (!app->by_server && !span_eq(how, SPAN("none")))
		return err_set(why, ERR_CONFIG,
			       "SENDFILE: must be x-sendfile, x-accel-redirect "
			       "or none, not \"%.40s\"",
			       app->sendfile);
	return ERR_OK;
}

static enum err app_open(void *app_, struct service *s, struct errmsg *why)
{
	struct app *app = app_;
	enum err e;

	app->db = s->db;
	app->metrics = s->metrics;
	app->public_url = s->settings.public_url;
	if (read_sendfile(app, why) != ERR_OK)
		return ERR_CONFIG;
	e = gateway_settings_check(app, why);
	if (e != ERR_OK)
		return e;
	e = open_content_scanner(app, why);
	if (e != ERR_OK)
		return e;
	e = files_batch_open(app->db, &app->quota, &app->webhook_targets,
			     &app->batch);
	if (e != ERR_OK)
		return err_set(why, e, "out of memory");
	e = s->check_only ? chosen_store_check(app, why)
			  : chosen_store_open(app, why);
	if (e != ERR_OK)
		content_scanner_close(&app->content_scanner);
	else if (app->store != NULL && transport_fcgi_ready())
		log_event(LOG_INFO, "store", store_method(app->store));
	return e;
}

static void app_admission_end(void *app_, const char *id)
{
	const struct app *app = app_;

	admissions_end(app->db, id);
}

static void app_close(void *app_)
{
	struct app *app = app_;

	store_close(app->store);
	files_batch_close(app->batch);
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
		.router = { gateway_routes, GATEWAY_ROUTES },
		.app = &app,
		.changes = DB_KNOWN_FILES,
		.row_size = sizeof(struct file),
		.admission_end = app_admission_end,
		.arrive = tus_arrive,
		.check_query = upload_whole_check_query,
		.next_at_error = "/.error-to/cgi-auth",
		.secret_paths = secret_paths,
		.open = app_open,
		.close = app_close,
	};

	return program_main(&gateway, argc, argv);
}
