/* cgi-auth - checks logins against the database and issues signed tokens. */
#include "cgi-auth/app/auth.h"
#include "common/access/session_row.h"
#include "common/server/health.h"

static const struct route routes[] = {
	/* Its body is ignored: clients send credentials there, too */
	{ "POST", "/login", handle_login, NO_AUTH | TAKES_BODY | INTERNAL_TOO },
	{ "POST", "/refresh", handle_refresh, NO_AUTH | TAKES_BODY },
	{ "POST", "/logout?all", handle_logout, ANY_SCOPE,
	  SESSION_BEFORE | LOGIN_ONLY },
	{ "GET", "/me", handle_me, ANY_SCOPE, SESSION_IN_STATEMENT },
	{ "POST", "/otp", handle_otp_enrol, ANY_SCOPE,
	  SESSION_BEFORE | LOGIN_ONLY },
	{ "POST", "/otp/confirm", handle_otp_confirm, ANY_SCOPE,
	  SESSION_BEFORE | LOGIN_ONLY | TAKES_BODY },
	{ "DELETE", "/otp", handle_otp_remove, ANY_SCOPE,
	  SESSION_BEFORE | LOGIN_ONLY | TAKES_BODY },
	{ "POST", "/password", handle_password, ANY_SCOPE,
	  SESSION_IN_STATEMENT | LOGIN_ONLY | TAKES_BODY },
	{ "GET", "/tokens", handle_tokens, ANY_SCOPE,
	  SESSION_BEFORE | LOGIN_ONLY },
	{ "POST", "/tokens", handle_token_new, ANY_SCOPE,
	  SESSION_IN_STATEMENT | LOGIN_ONLY | TAKES_BODY },
	{ "DELETE", "/tokens/*", handle_token_end, ANY_SCOPE,
	  SESSION_BEFORE | LOGIN_ONLY },
	{ "GET", "/sessions", handle_sessions, ANY_SCOPE,
	  SESSION_BEFORE | LOGIN_ONLY },
	{ "DELETE", "/sessions/*", handle_session_end, ANY_SCOPE,
	  SESSION_BEFORE | LOGIN_ONLY },
	/* For other servers; lighttpd has them on its internal listener only */
	{ "GET", "/validate", handle_validate, ANY_SCOPE,
	  SESSION_BEFORE | INTERNAL_ONLY },
	/* A proxy may pass on the query and the body of its own request */
	{ "POST", "/validate?*", handle_validate, ANY_SCOPE,
	  SESSION_BEFORE | TAKES_BODY | INTERNAL_ONLY },
	{ "POST", "/introspect", handle_introspect,
	  NO_AUTH | TAKES_BODY | INTERNAL_ONLY },
	{ "GET", "/healthz", health_alive, NO_AUTH | INTERNAL_ONLY },
	{ "GET", "/readyz", handle_ready, NO_AUTH | INTERNAL_ONLY },
	{ "GET", "/metrics", handle_metrics, NO_AUTH | INTERNAL_ONLY },
};

enum {
	HASHES_WAITING = 48, /* at least */
};

/* How many requests may wait for a hash. They wait without a slot, so others are
 * served meanwhile. */
static size_t max_waiting(size_t threads)
{
	return threads * 3 / 4 > HASHES_WAITING ? threads * 3 / 4
						: HASHES_WAITING;
}

static enum err open_auth(void *app, struct service *s, struct errmsg *why)
{
	struct auth *a = app;
	enum err e;

	a->service = s;
	e = auth_settings_check(&a->settings, why);
	if (e != ERR_OK)
		return e;
	e = passwords_init(&a->passwords, a->settings.password_memory,
			   a->settings.password_passes,
			   (size_t)a->settings.password_hashers,
			   max_waiting((size_t)s->settings.threads));
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
		.changes = DB_KNOWN_SESSIONS,
		.row_size = sizeof(struct session_row),
		.authorize = handle_authorize,
		.open = open_auth,
		.close = close_auth,
	};

	return program_main(&program, argc, argv);
}
