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

/* Say on standard error which words of `scope` no route of this server asks for:
 * a misspelled one allows nothing. They are kept, because another service may
 * ask for them (FastCGI's Authorizer role, /validate). */
void user_output_unknown_scope(const char *scope);

#endif
