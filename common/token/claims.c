#include "common/token/claims.h"

#include "common/codec/json.h"

#include <string.h>

struct json_object *claims_json(const struct claims *c)
{
	struct json_object *o = json_object_new_object();
	char sub[24];

	if (o == NULL)
		return NULL;
	(void)snprintf(sub, sizeof(sub), "%llu",
		       (unsigned long long)c->user_id);
	json_set_str(o, "iss", c->issuer);
	json_set_str(o, "sub", sub);
	json_set_str(o, "username", c->email);
	json_set_bool(o, "admin", c->admin);
	json_set_str(o, "scope", c->scope);
	if (c->audience[0] != '\0')
		json_set_str(o, "aud", c->audience);
	json_set_int(o, "iat", c->issued_at);
	json_set_int(o, "nbf", c->not_before);
	if (c->expires_at != CLAIMS_NO_END)
		json_set_int(o, "exp", c->expires_at);
	if (c->token_id[0] != '\0')
		json_set_str(o, "jti", c->token_id);
	json_set_str(o, "sid", c->session);
	return o;
}

void claims_write(const struct claims *c, struct buf *out)
{
	struct json_object *o = claims_json(c);

	if (o == NULL) {
		out->error = ERR_MEMORY;
		return;
	}
	buf_add(out, json_write(o));
	json_object_put(o);
}

static enum err read_user_id(struct json_object *o, uint64_t *out)
{
	char text[24];
	int64_t n;

	/* "007" and "7" must not be two users: one text for one number */
	if (json_get_text(o, "sub", text, sizeof(text)) != ERR_OK ||
	    text[0] == '0' || !span_to_int(span_of(text), &n))
		return ERR_FORMAT;
	*out = (uint64_t)n;
	return ERR_OK;
}

/* RFC 7519 4.1.3: a string, or an array of strings. We issue and accept only
 * one audience. */
static enum err read_audience(struct json_object *o, char *out, size_t cap)
{
	struct json_object *v, *holder = o;
	enum err e;

	if (!json_object_object_get_ex(o, "aud", &v)) {
		out[0] = '\0';
		return ERR_OK;
	}
	if (!json_object_is_type(v, json_type_array))
		return json_get_text(holder, "aud", out, cap);
	if (json_object_array_length(v) != 1)
		return ERR_FORMAT;
	holder = json_object_new_object();
	if (holder == NULL)
		return ERR_MEMORY;
	(void)json_object_object_add(
		holder, "aud",
		json_object_get(json_object_array_get_idx(v, 0)));
	e = json_get_text(holder, "aud", out, cap);
	json_object_put(holder);
	return e;
}

/* Read a time; `otherwise` if the member is missing */
static enum err read_time(struct json_object *o, const char *key,
			  int64_t otherwise, int64_t *out)
{
	enum err e = json_get_int(o, key, out);

	if (e == ERR_NOT_FOUND) {
		*out = otherwise;
		e = ERR_OK;
	}
	return e == ERR_OK && *out < 0 ? ERR_FORMAT : e;
}

/* Read "sid" as ASCII, because it becomes a parameter for an ASCII column */
static enum err read_session(struct json_object *o, char *out, size_t cap)
{
	enum err e = json_get_text(o, "sid", out, cap);

	for (const char *p = out; e == ERR_OK && *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80)
			e = ERR_FORMAT;
	return e;
}

static enum err read_members(struct json_object *o, struct claims *c)
{
	enum err e;

	if (read_user_id(o, &c->user_id) != ERR_OK ||
	    json_get_text(o, "username", c->email, sizeof(c->email)) !=
		    ERR_OK ||
	    json_get_text(o, "scope", c->scope, sizeof(c->scope)) != ERR_OK ||
	    json_get_text(o, "iss", c->issuer, sizeof(c->issuer)) != ERR_OK ||
	    json_get_text(o, "jti", c->token_id, sizeof(c->token_id)) !=
		    ERR_OK ||
	    read_session(o, c->session, sizeof(c->session)) != ERR_OK ||
	    json_get_int(o, "exp", &c->expires_at) != ERR_OK ||
	    c->expires_at < 0)
		return ERR_FORMAT;
	e = json_get_bool(o, "admin", &c->admin);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return ERR_FORMAT;
	if (read_time(o, "iat", 0, &c->issued_at) != ERR_OK ||
	    read_time(o, "nbf", c->issued_at, &c->not_before) != ERR_OK ||
	    read_audience(o, c->audience, sizeof(c->audience)) != ERR_OK)
		return ERR_FORMAT;
	return ERR_OK;
}

enum err claims_parse(struct span json, struct claims *out)
{
	struct json_object *o = NULL;
	struct claims c = { 0 };
	enum err e;

	if (json.len > CLAIMS_JSON_MAX)
		return ERR_FORMAT;
	e = json_read(json, &o);
	if (e != ERR_OK)
		return e;
	e = read_members(o, &c);
	if (e == ERR_OK)
		*out = c;
	json_object_put(o);
	return e;
}

static bool known_type(struct json_object *o)
{
	char typ[32];
	enum err e = json_get_text(o, "typ", typ, sizeof(typ));

	/* RFC 7515 4.1.9: compared as a media type, case-insensitively */
	return e == ERR_NOT_FOUND ||
	       (e == ERR_OK &&
		(span_eq_nocase(span_of(typ), SPAN("at+jwt")) ||
		 span_eq_nocase(span_of(typ), SPAN("application/at+jwt")) ||
		 span_eq_nocase(span_of(typ), SPAN("JWT"))));
}

enum err claims_parse_head(struct span json, char kid[static KID_MAX + 1])
{
	struct json_object *o = NULL;
	char alg[16], name[KID_MAX + 1];
	enum err e = json_read(json, &o);

	if (e != ERR_OK)
		return e;
	e = ERR_FORMAT;
	if (json_get_text(o, "alg", alg, sizeof(alg)) != ERR_OK ||
	    strcmp(alg, "HS256") != 0) {
		e = ERR_BAD_TOKEN;
	} else if (known_type(o) &&
		   !json_object_object_get_ex(o, "crit", NULL) &&
		   json_get_text(o, "kid", name, sizeof(name)) == ERR_OK) {
		memcpy(kid, name, sizeof(name));
		e = ERR_OK;
	}
	json_object_put(o);
	return e;
}
