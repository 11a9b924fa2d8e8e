/* cgi-auth - checks a login against the database and issues a signed token. */
#include "auth.h"
#include "health.h"

static const struct route routes[] = {
	{ "POST", "/login", handle_login, OPEN },
	{ "GET", "/me", handle_me, ANY_SCOPE },
	/* for other servers; lighttpd routes them on its internal listener */
	{ "GET", "/validate", handle_validate, ANY_SCOPE },
	{ "POST", "/validate", handle_validate, ANY_SCOPE },
	{ "GET", "/healthz", health_alive, OPEN },
	{ "GET", "/readyz", handle_ready, OPEN },
};

static enum err open_auth(void *app, struct service *s, struct errmsg *why)
{
	struct auth *a = app;
	enum err e;

	a->service = s;
	e = passwords_init(&a->passwords, a->settings.password_memory,
			   a->settings.password_passes, 0);
	if (e != ERR_OK)
		return err_set(why, e, "%s", err_text(e));
	return ERR_OK;
}

static void close_auth(void *app)
{
	struct auth *a = app;

	passwords_release(&a->passwords);
}

int main(int argc, char **argv)
{
	static struct auth auth;
	const struct program program = {
		.name = "cgi-auth",
		.summary = "checks logins and issues tokens",
		.defaults = auth_defaults,
		.items = auth_items,
		.item_count = AUTH_ITEMS,
		.router = { routes, sizeof(routes) / sizeof(*routes) },
		.app = &auth,
		.open = open_auth,
		.close = close_auth,
	};

	return serve_main(&program, argc, argv);
}
