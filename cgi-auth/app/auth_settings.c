#include "cgi-auth/app/auth_settings.h"

#include "cgi-auth/password/password.h"

#include <stddef.h>
#include <string.h>

#define AT(field) offsetof(struct auth_settings, field)

enum {
	PASSWORD_MEMORY_MAX = 1 << 30, /* bytes for one hash */
	PASSWORD_PASSES_MAX = 64,
	SESSION_LIFE_MAX = 366 * 86400, /* seconds */
};

const struct config_item auth_items[AUTH_ITEMS] = {
	{ "TOKEN_LIFE", CONFIG_INT, AT(token_life), "900", 1, TOKEN_LIFE_MAX,
	  "seconds that an access token is valid" },
	{ "REFRESH_LIFE", CONFIG_INT, AT(refresh_life), "2592000", 1,
	  SESSION_LIFE_MAX, "seconds that an unused refresh token is valid" },
	{ "REFRESH_GRACE", CONFIG_INT, AT(refresh_grace), "10", 0, 60,
	  "seconds in which a used refresh token returns its successor again" },
	{ "SESSION_LIFE", CONFIG_INT, AT(session_life), "2592000", 1,
	  SESSION_LIFE_MAX,
	  "seconds until a login ends, even if it is refreshed" },
	{ "PASSWORD_MEMORY", CONFIG_INT, AT(password_memory), "19922944",
	  PASSWORD_MEMORY_MIN, PASSWORD_MEMORY_MAX,
	  "bytes of memory to hash a password (Argon2id m)" },
	{ "PASSWORD_PASSES", CONFIG_INT, AT(password_passes), "2",
	  PASSWORD_PASSES_MIN, PASSWORD_PASSES_MAX,
	  "passes over that memory (Argon2id t)" },
	{ "PASSWORD_HASHERS", CONFIG_INT, AT(password_hashers), "0", 0,
	  PASSWORD_HASHERS_MAX,
	  "passwords hashed at the same time; 0: half the processors" },
	{ "THROTTLE_FAILURES", CONFIG_INT, AT(throttle.failures), "5", 1, 1000,
	  "wrong passwords of an account before attempts are delayed by 1, "
	  "2, 4 ... seconds" },
	{ "THROTTLE_MAX", CONFIG_INT, AT(throttle.max), "900", 1, 86400,
	  "longest such delay, in seconds" },
	{ "THROTTLE_ADDRESS", CONFIG_INT, AT(throttle.address), "30", 1,
	  1000000, "wrong passwords from an address before it is refused" },
	{ "THROTTLE_WINDOW", CONFIG_INT, AT(throttle.window), "600", 1, 86400,
	  "seconds in which these are counted, and of the refusal" },
	{ "LOGIN_ANSWER", CONFIG_TEXT, AT(login_answer), "json", 0, 0,
	  "answer of /login without a preferred type: json, or text (the "
	  "token alone)" },
	{ "AUDIT_DAYS", CONFIG_INT, AT(audit_days), "90", 1, 36500,
	  "days to keep rows of the table audit" },
};

const struct settings_defaults auth_defaults = {
	.mysql_db = "auth",
	.threads = "8",
};

bool auth_settings_bare_login(const struct auth_settings *s)
{
	return strcmp(s->login_answer, "text") == 0;
}

enum err auth_settings_check(const struct auth_settings *s, struct errmsg *why)
{
	if (auth_settings_bare_login(s) || strcmp(s->login_answer, "json") == 0)
		return ERR_OK;
	return err_set(why, ERR_CONFIG,
		       "LOGIN_ANSWER: must be json or text, not \"%.40s\"",
		       s->login_answer);
}
