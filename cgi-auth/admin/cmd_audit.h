/* cmd_audit.h - what auth-admin changes is in the table audit as well. */
#ifndef CMD_AUDIT_H
#define CMD_AUDIT_H

#include "cgi-auth/admin/cmd_database.h"

/* Note a change that was made to a user: the address is "auth-admin", and in
 * the place of a request's id stands the name of the Unix user who ran it.
 * Where the row cannot be written a line on standard error says so; what was
 * done is done, and the exit status does not change. */
void cmd_audit(struct cmd_database *d, const char *event, const struct user *u,
	       const char *detail);

#endif
