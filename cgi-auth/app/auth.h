/* auth.h - the state that the handlers of cgi-auth share, and their list.
 *
 * A handler's first argument is the program's `struct auth`.
 */
#ifndef AUTH_H
#define AUTH_H

#include "cgi-auth/app/auth_settings.h"
#include "cgi-auth/password/password.h"
#include "common/http/router.h"
#include "common/server/program.h"

struct auth {
	struct auth_settings settings; /* first: config_load() fills it */
	const struct service *service; /* borrowed */
	struct passwords passwords;
};

handler_fn handle_login;       /* POST /login */
handler_fn handle_me;	       /* GET /me */
handler_fn handle_refresh;     /* POST /refresh */
handler_fn handle_logout;      /* POST /logout */
handler_fn handle_password;    /* POST /password */
handler_fn handle_tokens;      /* GET /tokens */
handler_fn handle_token_new;   /* POST /tokens */
handler_fn handle_token_end;   /* DELETE /tokens/{id} */
handler_fn handle_sessions;    /* GET /sessions */
handler_fn handle_session_end; /* DELETE /sessions/{id} */
handler_fn handle_validate;    /* GET, POST /validate */
handler_fn handle_introspect;  /* POST /introspect */
handler_fn handle_otp_enrol;   /* POST /otp */
handler_fn handle_otp_confirm; /* POST /otp/confirm */
handler_fn handle_otp_remove;  /* DELETE /otp */
handler_fn handle_ready;       /* GET /readyz */
handler_fn handle_metrics;     /* GET /metrics */
handler_fn handle_authorize;   /* FastCGI's Authorizer role, any path */

#endif
