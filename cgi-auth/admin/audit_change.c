#include "cgi-auth/admin/audit_change.h"

#include "cgi-auth/tables/audit.h"
#include "common/admin/failure.h"

#include <pwd.h>
#include <time.h>
#include <unistd.h>

void audit_change(struct auth_admin *a, const char *event, const struct user *u,
		  const char *detail)
{
	/* cppcheck-suppress getpwuidCalled ; the tool has one thread */
	const struct passwd *unix_user = getpwuid(getuid());
	struct errmsg why = { "" };
	char number[24];
	struct audit_entry entry = { event,	   u->id,  u->email,
				     "auth-admin", number, detail };

	(void)snprintf(number, sizeof(number), "uid %ld", (long)getuid());
	if (unix_user != NULL &&
	    span_of(unix_user->pw_name).len <= AUDIT_REQUEST_MAX)
		entry.request_id = unix_user->pw_name;
	if (audit_add(a->db, &entry, time(NULL), a->auth.audit_days, &why) !=
	    ERR_OK)
		(void)admin_fail(0,
				 "done, but not recorded in the audit table: "
				 "%s",
				 why.text);
}
