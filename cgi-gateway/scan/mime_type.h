/* mime_type.h - the MIME type of bytes, by libmagic.
 *
 * libmagic gets rules of our own (magic_rules.h), or a database that the
 * operator names. It works with a "cookie" that only one thread at a time can
 * use, and that takes up to 5 MiB of memory with a whole database. So there are
 * few cookies, made when they are first needed and shared by all threads. The
 * work for a file is bounded: libmagic gets only its beginning, regular
 * expressions get less of it, and its parsers of whole formats (ELF, old office
 * documents) are off.
 */
#ifndef MIME_TYPE_H
#define MIME_TYPE_H

#include "cgi-gateway/parse/file_type.h"
#include "common/base/err.h"
#include "common/base/span.h"

enum {
	/* bytes of a file that are examined; ISO 9660 needs 36 KiB */
	MIME_TYPE_HEAD = 64 * 1024,
	MIME_TYPE_TEXT = 4096,	/* of these, to tell the kind of text */
	MIME_TYPE_REGEX = 1024, /* of these, for one regular expression */
	MIME_TYPE_COOKIES = 2,
};

struct mime_types;

/* Use the database at the path `database` (magic.mgc), borrowed; "": our own
 * rules, which are loaded for the first file. ERR_CONFIG if the database cannot
 * be read; ERR_MEMORY. */
enum err mime_type_open(const char *database, struct mime_types **out,
			struct errmsg *why) MUST_CHECK;
void mime_type_close(struct mime_types *t); /* NULL is fine */

/* Return the type of a file, cleaned (file_type.h), or "" if libmagic fails.
 * `head` is the whole file or its first MIME_TYPE_HEAD bytes. Thread-safe. */
void mime_type_of(struct mime_types *t, struct span head,
		  char out[static FILE_TYPE_MAX + 1]);

#endif
