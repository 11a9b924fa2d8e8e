#include "common/admin/listing.h"

#include "common/admin/output.h"
#include "common/codec/http_date.h"

void listing_begin(struct listing *l)
{
	if (l->json)
		(void)putchar('[');
}

enum err listing_object(struct listing *l, struct json_object *o)
{
	struct span text;

	if (o == NULL)
		return ERR_MEMORY;
	text = json_write(o);
	(void)printf("%s\n%.*s", l->rows++ > 0 ? "," : "", SPAN_ARG(text));
	(void)output_failed();
	json_object_put(o);
	return ERR_OK;
}

static bool is_last(const struct listing_column *c)
{
	return c[1].title == NULL;
}

static void print_cell(const struct listing_column *c, const char *text)
{
	output_text(text, is_last(c) ? 0 : c->width);
	(void)putchar(is_last(c) ? '\n' : ' ');
}

void listing_cell(struct listing *l, const char *text)
{
	const struct listing_column *c = &l->columns[l->cell];

	if (l->rows == 0 && l->cell == 0)
		for (const struct listing_column *h = c; h->title != NULL; h++)
			print_cell(h, h->title);
	print_cell(c, text);
	l->cell++;
	if (is_last(c)) {
		l->cell = 0;
		l->rows++;
	}
}

void listing_time(struct listing *l, int64_t t, int64_t absent,
		  const char *otherwise)
{
	char text[RFC3339_LEN + 1];

	if (t != absent)
		rfc3339_format(t, text);
	listing_cell(l, t != absent ? text : otherwise);
}

void listing_end(struct listing *l, const char *none)
{
	if (l->json)
		(void)printf("%s]\n", l->rows > 0 ? "\n" : "");
	else if (l->rows == 0)
		(void)printf("%s\n", none);
}
