/* inspector.h - looks at the bytes of a file that is not visible yet: what type
 * they are of, and whether a virus scanner knows them.
 */
#ifndef INSPECTOR_H
#define INSPECTOR_H

#include "clamd.h"
#include "files.h"
#include "sniff.h"

enum {
	INSPECT_PIECE = 64 * 1024, /* bytes read at a time; SNIFF_HEAD too */
};

struct inspector {
	/* settings, filled by config_load() */
	char *magic_database, *clamd, *clamd_larger;
	int64_t clamd_max;     /* bytes of a file that is scanned */
	int64_t clamd_timeout; /* seconds */
	/* made by inspector_open() */
	struct sniffer *sniffer; /* NULL: libmagic has no database */
	struct clamd daemon;
	bool scans;	     /* CLAMD is set */
	bool accepts_larger; /* unscanned */
};

/* ERR_CONFIG when a setting is wrong. Without MAGIC_DATABASE it does not fail
 * for want of libmagic's own: then in->sniffer is NULL, `why` tells why, and
 * no file's type is taken for sure. */
enum err inspector_open(struct inspector *in, struct errmsg *why) MUST_CHECK;
void inspector_close(struct inspector *in);

/* ERR_UNAVAILABLE when files cannot be scanned now though they must be. */
enum err inspector_ready(const struct inspector *in,
			 struct errmsg *m) MUST_CHECK;

/* How large a file may be, which otherwise may be of `max` bytes: no larger
 * than what is scanned, unless larger ones are accepted. */
int64_t inspector_limit(const struct inspector *in, int64_t max);

/* The bytes of the file, all written, wherever they lie. `read` puts at most
 * `cap` bytes from byte `from` on into `to`; *got is 0 behind the end only. */
struct inspect_source {
	enum err (*read)(void *arg, int64_t from, char *to, size_t cap,
			 size_t *got, struct errmsg *m);
	void *arg;
	int64_t size; /* bytes */
};

/* Fill f->type, from the bytes and f->claimed_type, and have them scanned.
 *
 *   ERR_INFECTED     `signature` tells with what
 *   ERR_TOO_LARGE    too large to be scanned
 *   ERR_UNAVAILABLE  they cannot be scanned now; `m` tells why
 *   and what `read` answers; ERR_MEMORY
 */
enum err inspector_look(const struct inspector *in,
			const struct inspect_source *src, struct file *f,
			char signature[static CLAMD_SIGNATURE_MAX + 1],
			struct errmsg *m) MUST_CHECK;

#endif
