/* content_scanner.h - examines the bytes of a file before it becomes visible:
 * what type they are, and whether they are infected.
 */
#ifndef CONTENT_SCANNER_H
#define CONTENT_SCANNER_H

#include "cgi-gateway/scan/clamd.h"
#include "cgi-gateway/scan/mime_type.h"
#include "cgi-gateway/tables/files.h"

enum {
	/* bytes read at a time; also MIME_TYPE_HEAD */
	CONTENT_SCANNER_PIECE = 64 * 1024,
};

struct content_scanner {
	/* settings, filled by config_load() */
	char *magic_database, *clamd, *clamd_larger;
	int64_t clamd_max;     /* bytes of a file that is scanned */
	int64_t clamd_timeout; /* seconds */
	/* filled by content_scanner_open() */
	struct mime_types *mime_types;
	struct clamd daemon;
	bool scans;	     /* CLAMD is set */
	bool accepts_larger; /* files over clamd_max, unscanned */
};

/* Check the settings. ERR_CONFIG if one is invalid. */
enum err content_scanner_open(struct content_scanner *s,
			      struct errmsg *why) MUST_CHECK;
void content_scanner_close(struct content_scanner *s);

/* Return ERR_UNAVAILABLE if CLAMD is set and clamd does not respond. */
enum err content_scanner_ready(const struct content_scanner *s,
			       struct errmsg *why) MUST_CHECK;

/* Return the size limit of a file: `max` bytes, or clamd_max if that is less
 * and larger files are refused because they could not be scanned. */
int64_t content_scanner_limit(const struct content_scanner *s, int64_t max);

/* The bytes of a completely written file. `read` copies at most `cap` bytes
 * from byte `from` on to `to`; *got is 0 only at the end. */
struct content_source {
	enum err (*read)(void *arg, int64_t from, char *to, size_t cap,
			 size_t *got, struct errmsg *why);
	void *arg;
	int64_t size; /* bytes */
};

/* Fill f->type from the bytes and f->claimed_type, and scan the bytes.
 *
 *   ERR_INFECTED     `signature` is filled
 *   ERR_TOO_LARGE    too large to be scanned
 *   ERR_UNAVAILABLE  cannot be scanned now; `why` has the reason
 *   ERR_MEMORY, and the errors of `read`
 */
enum err content_scanner_scan(const struct content_scanner *s,
			      const struct content_source *src, struct file *f,
			      char signature[static CLAMD_SIGNATURE_MAX + 1],
			      struct errmsg *why) MUST_CHECK;

#endif
