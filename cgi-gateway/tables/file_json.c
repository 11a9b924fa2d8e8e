#include "cgi-gateway/tables/file_json.h"

#include "common/codec/encode.h"
#include "common/codec/http_date.h"

void file_json_set_time(struct json_object *o, const char *key, int64_t t)
{
	char text[RFC3339_LEN + 1];

	if (t == FILES_NEVER) {
		(void)json_object_object_add(o, key, NULL);
		return;
	}
	rfc3339_format(t, text);
	json_set_str(o, key, text);
}

void file_json_set_limit(struct json_object *o, const char *key, int64_t limit)
{
	if (limit == QUOTA_NONE)
		(void)json_object_object_add(o, key, NULL);
	else
		json_set_int(o, key, limit);
}

static void set_sha256(struct json_object *o, const struct file *f)
{
	char hex[HEX_SIZE(SHA256_LEN)];

	hex_encode((struct span) { (const char *)f->sha256, SHA256_LEN }, hex,
		   sizeof(hex));
	json_set_str(o, "sha256", hex);
}

struct json_object *file_json_receipt(const struct file *f)
{
	struct json_object *o = json_object_new_object();

	if (o == NULL)
		return NULL;
	json_set_str(o, "name", f->name);
	json_set_int(o, "size", f->size);
	set_sha256(o, f);
	return o;
}

void file_json_set(struct json_object *o, const struct file *f)
{
	json_set_str(o, "id", f->id);
	json_set_str(o, "name", f->name);
	json_set_int(o, "size", f->size);
	json_set_str(o, "type", f->type);
	if (f->claimed_type[0] != '\0')
		json_set_str(o, "claimed_type", f->claimed_type);
	else
		(void)json_object_object_add(o, "claimed_type", NULL);
	set_sha256(o, f);
	file_json_set_time(o, "created_at", f->created_at);
	file_json_set_time(o, "expires_at", f->expires_at);
	if (f->upload_link[0] != '\0')
		json_set_str(o, "upload_link", f->upload_link);
	else
		(void)json_object_object_add(o, "upload_link", NULL);
}
