#include "cgi-gateway/download/text_charset.h"

#include "common/codec/encode.h"

#include <string.h>

enum {
	READ_SIZE = 64 * 1024, /* bytes read from the store at a time */
	CHARACTER_MAX = 4,     /* bytes of one character of UTF-8 */
	ESCAPE = 0x1b,
};

/* Check the next bytes. The beginning of a cut character is moved to the front
 * of `buffer` and its length left in *kept. */
static bool check_bytes(char *buffer, size_t len, size_t *kept)
{
	struct span s = { buffer, len };
	size_t whole = utf8_length(s);

	*kept = len - whole;
	if (*kept >= CHARACTER_MAX || span_find(s, '\0') < len ||
	    span_find(s, ESCAPE) < len)
		return false;
	memmove(buffer, buffer + whole, *kept);
	return true;
}

static bool reads_as_utf8(struct store_reader *r, char *buffer)
{
	size_t total = 0, kept = 0, got;

	while (total < TEXT_CHARSET_READ) {
		if (store_reader_read(r, buffer + kept, READ_SIZE - kept, &got,
				      NULL) != ERR_OK)
			return false;
		if (got == 0)
			return kept == 0;
		total += got;
		if (!check_bytes(buffer, kept + got, &kept))
			return false;
	}
	return true;
}

bool text_charset_is_utf8(const struct app *app, const struct file *f,
			  struct arena *arena)
{
	struct store_reader *r = NULL;
	char *buffer;
	int64_t size;
	bool utf8;

	if (!span_has_prefix(span_of(f->type), SPAN("text/")))
		return false;
	buffer = arena_alloc(arena, READ_SIZE);
	if (buffer == NULL ||
	    store_reader_open(app->store, f->id, 0, &r, &size, NULL) != ERR_OK)
		return false;
	utf8 = reads_as_utf8(r, buffer);
	store_reader_close(r);
	return utf8;
}
