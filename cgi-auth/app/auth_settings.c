#include "cgi-auth/app/auth_settings.h"

#include "cgi-auth/password/password.h"

#include <stddef.h>

#define AT(field) offsetof(struct auth_settings, field)

enum {
	PASSWORD_MEMORY_MAX = 1 << 30, /* bytes; times the number of cores */
	PASSWORD_PASSES_MAX = 64,
	SESSION_LIFE_MAX = 366 * 86400, /* seconds */
};

const struct config_item auth_items[AUTH_ITEMS] = {
	{ "TOKEN_LIFE", CONFIG_INT, AT(token_life), "900", 1, TOKEN_LIFE_MAX,
	  "seconds that an access token is good for" },
	{ "REFRESH_LIFE", CONFIG_INT, AT(refresh_life), "2592000", 1,
	  SESSION_LIFE_MAX, "seconds that a refresh token may lie unused" },
	{ "REFRESH_GRACE", CONFIG_INT, AT(refresh_grace), "10", 0, 60,
	  "seconds that a spent refresh token still gives its successor" },
	{ "SESSION_LIFE", CONFIG_INT, AT(session_life), "2592000", 1,
	  SESSION_LIFE_MAX,
	  "seconds until a login ends, however often it is refreshed" },
	{ "PASSWORD_MEMORY", CONFIG_INT, AT(password_memory), "19922944",
	  PASSWORD_MEMORY_MIN, PASSWORD_MEMORY_MAX,
	  "bytes that hashing a password takes (Argon2id m)" },
	{ "PASSWORD_PASSES", CONFIG_INT, AT(password_passes), "2",
	  PASSWORD_PASSES_MIN, PASSWORD_PASSES_MAX,
	  "times that it goes over them (Argon2id t)" },
	{ "PASSWORD_HASHERS", CONFIG_INT, AT(password_hashers), "0", 0,
	  PASSWORD_HASHERS_MAX,
	  "passwords hashed at a time; 0: half as many as processors" },
	{ "THROTTLE_FAILURES", CONFIG_INT, AT(throttle.failures), "5", 1, 1000,
	  "wrong passwords of an account before it is delayed, by 1 s, 2, 4 "
	  "..." },
	{ "THROTTLE_MAX", CONFIG_INT, AT(throttle.max), "900", 1, 86400,
	  "seconds that it is delayed at the most" },
	{ "THROTTLE_ADDRESS", CONFIG_INT, AT(throttle.address), "30", 1,
	  1000000, "wrong passwords from an address before it is refused" },
	{ "THROTTLE_WINDOW", CONFIG_INT, AT(throttle.window), "600", 1, 86400,
	  "seconds in which they count, and for which it is refused" },
	{ "AUDIT_DAYS", CONFIG_INT, AT(audit_days), "90", 1, 36500,
	  "days that the table audit remembers" },
};

const struct settings_defaults auth_defaults = {
	.mysql_db = "auth",
	.threads = "64",
};
