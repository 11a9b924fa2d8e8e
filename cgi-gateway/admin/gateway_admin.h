/* gateway_admin.h - opens what the commands of gateway-admin need: the settings
 * of cgi-gateway, its database and, for some commands, its store. */
#ifndef GATEWAY_ADMIN_H
#define GATEWAY_ADMIN_H

#include "cgi-gateway/app/app.h"
#include "common/base/err.h"

/* Commands that need no store also run on a machine without DATA_DIR. */
enum gateway_admin_needs { NEEDS_DATABASE, NEEDS_DATABASE_AND_STORE };

struct gateway_admin {
	struct app app; /* its settings, database and store */
	struct settings settings;
	int64_t now; /* seconds since 1970 UTC */
};

/* Open *g. Returns 0, or an exit status after printing what is wrong; there is
 * then nothing to close. Does not connect to the database yet. */
int gateway_admin_open(struct gateway_admin *g,
		       enum gateway_admin_needs needs) MUST_CHECK;
void gateway_admin_close(struct gateway_admin *g);

/* Like admin_fail_db(), for a command that also uses the store. */
int gateway_admin_fail(enum err e, const struct errmsg *why);

#endif
