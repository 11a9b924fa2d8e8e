#include "cgi-gateway/events/webhook.h"

#include "cgi-gateway/tables/file_json.h"
#include "common/codec/http_date.h"
#include "common/token/secret_check.h"

#include <sodium.h>

/* Whether the key can be guessed (secret_check.h) */
static enum err check_key(struct span key, struct errmsg *why)
{
	struct errmsg cause;
	enum err e = secret_check(key, &cause);

	return e == ERR_OK
		       ? e
		       : err_set(why, e, "EVENT_SECRET: %.220s", cause.text);
}

static enum err read_key(struct span secret, struct hmac_key **out,
			 struct errmsg *why)
{
	const struct span prefix = SPAN("whsec_");
	char bytes[WEBHOOK_KEY_MAX];
	struct span key = secret;
	enum err e = ERR_OK;

	if (span_has_prefix(secret, prefix)) {
		key.p = bytes;
		e = base64_decode(span_from(secret, prefix.len), bytes,
				  sizeof(bytes), &key.len);
	}
	if (e != ERR_OK)
		e = err_set(why, ERR_CONFIG,
			    "EVENT_SECRET: whsec_ must be followed by base64 "
			    "that decodes to at most %d bytes",
			    WEBHOOK_KEY_MAX);
	else if (key.len < WEBHOOK_KEY_MIN)
		e = err_set(why, ERR_CONFIG,
			    "EVENT_SECRET: %zu bytes are too few, the minimum "
			    "is %d; make a secret with: echo whsec_$(openssl "
			    "rand -base64 32)",
			    key.len, WEBHOOK_KEY_MIN);
	else
		e = check_key(key, why);
	if (e == ERR_OK && hmac_key_new(key, out) != ERR_OK)
		e = err_set(why, ERR_MEMORY, "out of memory");
	sodium_memzero(bytes, sizeof(bytes));
	return e;
}

enum err webhook_keys_read(struct span secrets, struct webhook_keys *out,
			   struct errmsg *why)
{
	struct webhook_keys k = { 0 };
	struct span secret;
	enum err e = ERR_OK;

	while (e == ERR_OK && span_next(&secrets, ' ', &secret)) {
		if (secret.len == 0)
			continue;
		if (k.count == WEBHOOK_KEYS_MAX)
			e = err_set(
				why, ERR_CONFIG,
				"EVENT_SECRET: more than %d secrets (blanks "
				"separate secrets)",
				WEBHOOK_KEYS_MAX);
		else
			e = read_key(secret, &k.key[k.count], why);
		if (e == ERR_OK)
			k.count++;
	}
	if (e == ERR_OK && k.count == 0)
		e = err_set(why, ERR_CONFIG,
			    "EVENT_SECRET: missing; it signs the events for "
			    "EVENT_URLS; make one with: echo whsec_$(openssl "
			    "rand -base64 32)");
	if (e == ERR_OK)
		*out = k;
	else
		webhook_keys_release(&k);
	return e;
}

void webhook_keys_release(struct webhook_keys *k)
{
	for (size_t i = 0; i < k->count; i++)
		hmac_key_free(k->key[i]);
	k->count = 0;
}

/* Append the body that docs/openapi.yaml describes under `webhooks` */
static enum err add_body(const struct event *e, struct buf *out)
{
	struct json_object *o = json_object_new_object();
	struct json_object *data = json_object_new_object();
	char type[sizeof("file.") + EVENT_KIND_MAX], at[RFC3339_LEN + 1];
	struct span text = { NULL, 0 };

	if (o == NULL || data == NULL) {
		json_object_put(data);
		goto out;
	}
	(void)snprintf(type, sizeof(type), "file.%s", e->kind);
	rfc3339_format(e->at, at);
	json_set_str(o, "type", type);
	json_set_str(o, "timestamp", at);
	json_set_int(o, "sequence", (int64_t)e->id);
	(void)json_object_object_add(o, "data", data);
	file_json_set(data, &e->file);
	json_set_int(data, "owner", (int64_t)e->file.owner);
	if (e->owner_email[0] != '\0')
		json_set_str(data, "owner_email", e->owner_email);
	else
		(void)json_object_object_add(data, "owner_email", NULL);
	text = json_write(o);
	buf_add(out, text);
out:
	json_object_put(o);
	return text.len > 0 ? buf_error(out) : ERR_MEMORY;
}

static enum err sign(const struct webhook_keys *k, struct webhook *w)
{
	size_t len = 0;

	for (size_t i = 0; i < k->count; i++) {
		unsigned char mac[SHA256_LEN];
		char text[BASE64_SIZE(SHA256_LEN)];
		enum err e = hmac_sha256(k->key[i], buf_span(&w->content), mac);

		if (e != ERR_OK)
			return e;
		base64_encode((struct span) { (char *)mac, SHA256_LEN }, text,
			      sizeof(text));
		len += (size_t)snprintf(w->signature + len,
					sizeof(w->signature) - len, "%sv1,%s",
					i > 0 ? " " : "", text);
	}
	return ERR_OK;
}

enum err webhook_make(const struct webhook_keys *k, const struct event *e,
		      int64_t now, struct webhook *out)
{
	struct webhook w = { .id = "" };
	enum err made;

	(void)snprintf(w.id, sizeof(w.id), "%s_%s", e->kind, e->file.id);
	(void)snprintf(w.timestamp, sizeof(w.timestamp), "%lld",
		       (long long)now);
	buf_init(&w.content, WEBHOOK_BODY_MAX);
	buf_printf(&w.content, "%s.%s.", w.id, w.timestamp);
	w.body = w.content.len;
	made = add_body(e, &w.content);
	if (made == ERR_OK)
		made = sign(k, &w);
	if (made == ERR_OK)
		*out = w;
	else
		buf_release(&w.content);
	return made;
}

void webhook_release(struct webhook *w)
{
	buf_release(&w->content);
}

struct span webhook_body(const struct webhook *w)
{
	return span_from(buf_span(&w->content), w->body);
}
