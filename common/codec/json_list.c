#include "common/codec/json_list.h"

void json_list_begin(struct json_list *l, const char *key)
{
	l->any = false;
	buf_init(&l->text, JSON_LIST_MAX);
	buf_printf(&l->text, "{\"%s\":[", key);
}

enum err json_list_add(struct json_list *l, struct json_object *o)
{
	struct span row = { NULL, 0 };

	if (o != NULL)
		row = json_write(o);
	if (row.len == 0) {
		json_object_put(o);
		return ERR_MEMORY;
	}
	if (l->any)
		buf_add_char(&l->text, ',');
	l->any = true;
	buf_add(&l->text, row);
	json_object_put(o);
	return buf_error(&l->text);
}

void json_list_end(struct json_list *l, const char *members)
{
	buf_add_char(&l->text, ']');
	buf_add_str(&l->text, members);
	buf_add_char(&l->text, '}');
}

enum err json_list_text(const struct json_list *l, struct span *out)
{
	enum err e = buf_error(&l->text);

	if (e == ERR_OK)
		*out = buf_span(&l->text);
	return e;
}

void json_list_release(struct json_list *l)
{
	buf_release(&l->text);
}
