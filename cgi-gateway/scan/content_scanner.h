/* content_scanner.h - looks at the bytes of a file that is not visible yet: what type
 * they are of, and whether a virus scanner knows them.
 */
#ifndef CONTENT_SCANNER_H
#define CONTENT_SCANNER_H

#include "cgi-gateway/scan/clamd.h"
#include "cgi-gateway/scan/mime_type.h"
#include "cgi-gateway/tables/files.h"

enum {
	CONTENT_SCANNER_PIECE =
		64 * 1024, /* bytes read at a time; MIME_TYPE_HEAD too */
};

struct content_scanner {
	/* settings, filled by config_load() */
	char *magic_database, *clamd, *clamd_larger;
	int64_t clamd_max;     /* bytes of a file that is scanned */
	int64_t clamd_timeout; /* seconds */
	/* made by content_scanner_open() */
	struct mime_types *mime_types; /* NULL: libmagic has no database */
	struct clamd daemon;
	bool scans;	     /* CLAMD is set */
	bool accepts_larger; /* unscanned */
};

/* ERR_CONFIG when a setting is wrong. Without MAGIC_DATABASE it does not fail
 * for want of libmagic's own: then in->mime_types is NULL, `why` tells why, and
 * no file's type is taken for sure. */
enum err content_scanner_open(struct content_scanner *in,
			      struct errmsg *why) MUST_CHECK;
void content_scanner_close(struct content_scanner *in);

/* ERR_UNAVAILABLE when files cannot be scanned now though they must be. */
enum err content_scanner_ready(const struct content_scanner *in,
			       struct errmsg *why) MUST_CHECK;

/* How large a file may be, which otherwise may be of `max` bytes: no larger
 * than what is scanned, unless larger ones are accepted. */
int64_t content_scanner_limit(const struct content_scanner *in, int64_t max);

/* The bytes of the file, all written, wherever they lie. `read` puts at most
 * `cap` bytes from byte `from` on into `to`; *got is 0 behind the end only. */
struct content_source {
	enum err (*read)(void *arg, int64_t from, char *to, size_t cap,
			 size_t *got, struct errmsg *why);
	void *arg;
	int64_t size; /* bytes */
};

/* Fill f->type, from the bytes and f->claimed_type, and have them scanned.
 *
 *   ERR_INFECTED     `signature` tells with what
 *   ERR_TOO_LARGE    too large to be scanned
 *   ERR_UNAVAILABLE  they cannot be scanned now; `cause` tells why
 *   and what `read` answers; ERR_MEMORY
 */
enum err content_scanner_scan(const struct content_scanner *in,
			      const struct content_source *src, struct file *f,
			      char signature[static CLAMD_SIGNATURE_MAX + 1],
			      struct errmsg *cause) MUST_CHECK;

#endif
