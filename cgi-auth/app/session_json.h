/* session_json.h - a session as JSON, for clients and for auth-admin. */
#ifndef SESSION_JSON_H
#define SESSION_JSON_H

#include "cgi-auth/tables/sessions.h"
#include "common/codec/json.h"

/* {id, name, scope, created_at, expires_at, last_used_at} of an API token,
 * {id, address, created_at, expires_at, last_used_at} of a login; times are RFC
 * 3339 or null. Owned by the caller; NULL if an allocation failed. */
struct json_object *session_json(const struct session *s);

#endif
