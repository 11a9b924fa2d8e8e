/* audit_change.h - records the changes of auth-admin in the audit table. */
#ifndef AUDIT_CHANGE_H
#define AUDIT_CHANGE_H

#include "cgi-auth/admin/auth_admin.h"

/* Record a change that was made to a user. The address is "auth-admin", and the
 * request id is the name of the Unix user. If the row cannot be written, a line
 * on standard error says so; the exit status does not change, because the
 * change itself was made. */
void audit_change(struct auth_admin *a, const char *event, const struct user *u,
		  const char *detail);

#endif
