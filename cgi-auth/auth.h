/* auth.h - what the handlers of cgi-auth share, and their names.
 *
 * A handler's first argument is the program's `struct auth`.
 */
#ifndef AUTH_H
#define AUTH_H

#include "auth_settings.h"
#include "password.h"
#include "router.h"
#include "serve.h"

struct auth {
	struct auth_settings settings; /* first: config_load() fills it */
	const struct service *service; /* borrowed */
	struct passwords passwords;
};

handler_fn handle_login;    /* POST /login */
handler_fn handle_me;	    /* GET /me */
handler_fn handle_validate; /* GET, POST /validate */
handler_fn handle_ready;    /* GET /readyz */

#endif
