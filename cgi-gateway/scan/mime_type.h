/* mime_type.h - what kind of file some bytes begin, as libmagic says.
 *
 * libmagic serves one thread at a time with what it calls a cookie, which takes
 * up to 5 MiB once used. So there are few of them, made as they are needed and
 * shared by all threads. What it may spend on a file is bounded: it sees the
 * beginning alone, its regular expressions see less, and its parsers of whole
 * formats (ELF, old office documents) stay off.
 */
#ifndef MIME_TYPE_H
#define MIME_TYPE_H

#include "cgi-gateway/parse/file_type.h"
#include "common/base/err.h"
#include "common/base/span.h"

enum {
	MIME_TYPE_HEAD =
		64 * 1024,	/* bytes of a file; an ISO 9660 needs 36 KiB */
	MIME_TYPE_TEXT = 4096,	/* of these, for what kind of text it is */
	MIME_TYPE_REGEX = 1024, /* and for one regular expression */
	MIME_TYPE_COOKIES = 2,
};

struct mime_types;

/* `database` is magic.mgc's path, which is borrowed; "": libmagic's own.
 * ERR_CONFIG when it cannot be read, ERR_MEMORY. */
enum err mime_type_open(const char *database, struct mime_types **out,
			struct errmsg *why) MUST_CHECK;
void mime_type_close(struct mime_types *s); /* NULL is fine */

/* The type of a file that begins with `head`, which is all of it or MIME_TYPE_HEAD
 * bytes, cleaned; or "" where libmagic failed. From any thread. */
void mime_type_of(struct mime_types *s, struct span head,
		  char out[static FILE_TYPE_MAX + 1]);

#endif
