/* auth_settings.h - the settings of cgi-auth, in addition to settings.h.
 * auth-admin reads the same ones, so that both agree on the cost of a new hash
 * and the life of a token. */
#ifndef AUTH_SETTINGS_H
#define AUTH_SETTINGS_H

#include "cgi-auth/tables/throttle.h"
#include "common/codec/config.h"
#include "common/server/settings.h"

struct auth_settings {
	int64_t token_life;	  /* TOKEN_LIFE, seconds */
	int64_t refresh_life;	  /* REFRESH_LIFE, seconds */
	int64_t refresh_grace;	  /* REFRESH_GRACE, seconds */
	int64_t session_life;	  /* SESSION_LIFE, seconds */
	int64_t password_memory;  /* PASSWORD_MEMORY, bytes */
	int64_t password_passes;  /* PASSWORD_PASSES */
	int64_t password_hashers; /* PASSWORD_HASHERS; 0: half the processors */
	struct throttle_rules throttle;
	int64_t audit_days; /* AUDIT_DAYS */
	char *login_answer; /* LOGIN_ANSWER, "json" or "text" */
};

enum {
	AUTH_ITEMS = 13,
	PASSWORD_HASHERS_MAX = 1024,
	TOKEN_LIFE_MAX = 86400, /* seconds */
};

/* Offsets are those of a `struct auth_settings`. */
extern const struct config_item auth_items[AUTH_ITEMS];
extern const struct settings_defaults auth_defaults;

/* Check what config_load() cannot. ERR_CONFIG. */
enum err auth_settings_check(const struct auth_settings *s,
			     struct errmsg *why) MUST_CHECK;

bool auth_settings_bare_login(const struct auth_settings *s);

#endif
