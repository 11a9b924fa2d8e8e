/* cmd_database.h - what a user command opens: the settings of cgi-auth, the
 * database, and the means to hash. No key is needed, and none is read. */
#ifndef CMD_DATABASE_H
#define CMD_DATABASE_H

#include "cgi-auth/app/auth_settings.h"
#include "cgi-auth/password/password.h"
#include "cgi-auth/tables/users.h"
#include "common/db/db.h"

struct cmd_database {
	struct settings settings;
	struct auth_settings auth;
	struct passwords passwords;
	struct db *db;
};

/* 0, or an exit status after saying what is wrong; then *d is released. */
int cmd_database_open(struct cmd_database *d);
void cmd_database_close(struct cmd_database *d);

/* The user of this email; else says so and returns the status. */
int cmd_database_find(struct cmd_database *d, const char *email,
		      struct user *out);

#endif
