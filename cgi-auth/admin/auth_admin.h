/* auth_admin.h - opens what the commands of auth-admin need: the settings of
 * cgi-auth, its database, and password hashing. Does not read keys.
 *
 * Each function returns 0, or an exit status after printing what is wrong.
 */
#ifndef AUTH_ADMIN_H
#define AUTH_ADMIN_H

#include "cgi-auth/app/auth_settings.h"
#include "cgi-auth/password/password.h"
#include "cgi-auth/tables/users.h"
#include "common/db/db.h"

struct auth_admin {
	struct settings settings;
	struct auth_settings auth;
	struct passwords passwords;
	struct db *db;
};

/* Open *a. After a failure there is nothing to close. */
int auth_admin_open(struct auth_admin *a) MUST_CHECK;
void auth_admin_close(struct auth_admin *a);

/* Find the user with this email. */
int auth_admin_find(struct auth_admin *a, const char *email,
		    struct user *out) MUST_CHECK;

/* Open *a and find the user. After a failure there is nothing to close. */
int auth_admin_open_user(struct auth_admin *a, const char *email,
			 struct user *out) MUST_CHECK;

#endif
