/* cmd_record.h - a user and other records, as auth-admin prints them. */
#ifndef CMD_RECORD_H
#define CMD_RECORD_H

#include "cgi-auth/tables/users.h"
#include "common/codec/json.h"

/* {id, email, admin, scope, created_at, disabled_at, password_changed_at,
 * password}, where `password` says what kind of hash it is, no more. Owned by
 * the caller; NULL when memory is out. */
struct json_object *cmd_record_user(const struct user *u);

/* Print one such object, or the same as lines for a person. */
void cmd_record_print_user(const struct user *u, bool json);

/* Set a time member as RFC 3339, or null where `t` is `absent`. */
void cmd_record_set_time(struct json_object *o, const char *key, int64_t t,
			 int64_t absent);

#endif
