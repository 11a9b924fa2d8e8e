#include "cgi-auth/app/session_json.h"

#include "common/codec/http_date.h"

static void set_time(struct json_object *o, const char *key, int64_t t)
{
	char text[RFC3339_LEN + 1];

	if (t == SESSION_NEVER) {
		(void)json_object_object_add(o, key, NULL);
		return;
	}
	rfc3339_format(t, text);
	json_set_str(o, key, text);
}

struct json_object *session_json(const struct session *s)
{
	struct json_object *o = json_object_new_object();

	if (o == NULL)
		return NULL;
	json_set_str(o, "id", s->id);
	if (s->api) {
		json_set_str(o, "name", s->name);
		json_set_str(o, "scope", s->scope);
	} else {
		json_set_str(o, "address", s->address);
	}
	set_time(o, "created_at", s->created_at);
	set_time(o, "expires_at", s->expires_at);
	set_time(o, "last_used_at", s->last_used_at);
	return o;
}
