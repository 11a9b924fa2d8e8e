#include "auth_settings.h"

#include "password.h"

#include <stddef.h>

#define AT(field) offsetof(struct auth_settings, field)

enum {
	PASSWORD_MEMORY_MAX = 1 << 30, /* bytes; times the number of cores */
	PASSWORD_PASSES_MAX = 64,
};

const struct config_item auth_items[AUTH_ITEMS] = {
	{ "TOKEN_LIFE", CONFIG_INT, AT(token_life), "900", 1, TOKEN_LIFE_MAX,
	  "seconds that an access token is good for" },
	{ "PASSWORD_MEMORY", CONFIG_INT, AT(password_memory), "19922944",
	  PASSWORD_MEMORY_MIN, PASSWORD_MEMORY_MAX,
	  "bytes that hashing a password takes (Argon2id m)" },
	{ "PASSWORD_PASSES", CONFIG_INT, AT(password_passes), "2",
	  PASSWORD_PASSES_MIN, PASSWORD_PASSES_MAX,
	  "times that it goes over them (Argon2id t)" },
};

const struct settings_defaults auth_defaults = {
	.mysql_db = "auth",
	.threads = "16",
};
