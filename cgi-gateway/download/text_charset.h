/* text_charset.h - whether a browser can read a text as UTF-8.
 *
 * The row of a file has no charset. Without one, browsers guess, most of them
 * windows-1252, which garbles UTF-8.
 */
#ifndef TEXT_CHARSET_H
#define TEXT_CHARSET_H

#include "cgi-gateway/app/app.h"
#include "common/base/arena.h"

enum {
	/* Bytes at the beginning that are read. In a longer text, what follows
	 * is taken for the same. */
	TEXT_CHARSET_READ = 1 << 20,
};

/* Return true if the file is of a type text/... and its bytes are UTF-8 without
 * escape sequences, which would be those of ISO 2022. False also if they cannot
 * be read. */
bool text_charset_is_utf8(const struct app *app, const struct file *f,
			  struct arena *arena);

#endif
