/* user_output.h - prints a user. */
#ifndef USER_OUTPUT_H
#define USER_OUTPUT_H

#include "cgi-auth/tables/users.h"
#include "common/codec/json.h"

/* {id, email, admin, scope, created_at, disabled_at, password_changed_at,
 * password}, where `password` is only the kind of hash. Owned by the caller,
 * never NULL. */
struct json_object *user_output_json(const struct user *u);

/* Print that object, or the same as lines for a person. */
void user_output(const struct user *u, bool json);

#endif
