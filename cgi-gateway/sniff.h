/* sniff.h - what kind of file some bytes begin, as libmagic says.
 *
 * libmagic serves one thread at a time with what it calls a cookie, which takes
 * up to 5 MiB once used. So there are few of them, made as they are needed and
 * shared by all threads. What it may spend on a file is bounded: it sees the
 * beginning alone, its regular expressions see less, and its parsers of whole
 * formats (ELF, old office documents) stay off.
 */
#ifndef SNIFF_H
#define SNIFF_H

#include "err.h"
#include "file_type.h"
#include "span.h"

enum {
	SNIFF_HEAD = 64 * 1024, /* bytes of a file; an ISO 9660 needs 36 KiB */
	SNIFF_TEXT = 4096,	/* of these, for what kind of text it is */
	SNIFF_REGEX = 1024,	/* and for one regular expression */
	SNIFF_COOKIES = 2,
};

struct sniffer;

/* `database` is magic.mgc's path, which is borrowed; "": libmagic's own.
 * ERR_CONFIG when it cannot be read, ERR_MEMORY. */
enum err sniffer_open(const char *database, struct sniffer **out,
		      struct errmsg *m) MUST_CHECK;
void sniffer_close(struct sniffer *s); /* NULL is fine */

/* The type of a file that begins with `head`, which is all of it or SNIFF_HEAD
 * bytes, cleaned; or "" where libmagic failed. From any thread. */
void sniff(struct sniffer *s, struct span head,
	   char out[static FILE_TYPE_MAX + 1]);

#endif
