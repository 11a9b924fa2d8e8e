/* metrics.h - what a program has done, in numbers, for Prometheus.
 *
 * Counters lie in memory that all threads share and, with a file, all
 * processes of the program too: also plain CGI processes, which live for one
 * request. They are C11 atomics in a mapping of fixed layout, so counting
 * takes no lock and no memory, and is exact. The file outlives the processes:
 * a counter goes on where it was.
 *
 * Gauges (what is under way now) are kept for each process apart, and each
 * process holds a record lock (fcntl) on its place while it lives. The kernel
 * drops the lock however the process ends, kill -9 too, and what its place
 * says counts no more from that instant. This asks no process table, so it
 * holds for containers that share the file.
 *
 * Every call takes a NULL `m` and then does nothing.
 */
#ifndef METRICS_H
#define METRICS_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/span.h"

enum {
	METRICS_ROUTES = 64,	    /* of a program, at the most */
	METRICS_NO_ROUTE = -1,	    /* a path that is in no table */
	METRICS_PROCESSES = 512,    /* whose gauges have a place */
	METRICS_TEXT_MAX = 4 << 20, /* bytes of a whole exposition */
};

/* What only grows */
enum metrics_counter {
	METRICS_DB_CONNECT_FAILED, /* no connection could be made */
	METRICS_DB_BUSY,	   /* all of the pool stayed in use */
	METRICS_DB_FAILED,	   /* a statement failed */
	METRICS_UPLOADED_FILES,
	METRICS_UPLOADED_BYTES,
	METRICS_COUNTERS
};

/* What goes up and down */
enum metrics_gauge {
	METRICS_IN_FLIGHT, /* requests; metrics_begin() and _end() keep it */
	METRICS_DB_OPEN,   /* connections, idle or used */
	METRICS_DB_USED,
	METRICS_DB_LIMIT, /* the pool's size */
	METRICS_GAUGES
};

/* What a program counts; its texts are literals. */
struct metrics_layout {
	const char *program;
	/* The patterns of its routes, which become values of the label `route`:
	 * only these, so a client cannot make new ones. */
	const char *routes[METRICS_ROUTES];
	size_t route_count;
};

struct metrics;

/* Map `path`, or private memory where it is "". A file that is missing, or of
 * another layout (another version's), is made anew and starts from zero. Open
 * it once in a process. Its space is reserved, so a disk that fills up later
 * does no harm.
 *
 *   ERR_CONFIG  the file cannot be opened or made, or is another user's; too
 *               many routes
 *   ERR_FULL    no space for it
 *   ERR_MEMORY, ERR_IO
 */
enum err metrics_open(const struct metrics_layout *layout, const char *path,
		      struct metrics **out, struct errmsg *why) MUST_CHECK;
void metrics_close(struct metrics *m);

/* Whether metrics_open() would find the file, or could make it, as far as that
 * shows without doing it. ERR_CONFIG. */
enum err metrics_check(const char *path, struct errmsg *why) MUST_CHECK;

/* A request that has been answered. */
struct metrics_request {
	int route; /* index in the layout, or METRICS_NO_ROUTE */
	struct span method;
	int status;
	int64_t us; /* microseconds from accept to the end of the answer */
	int64_t bytes_in, bytes_out; /* of bodies, through the program */
};

void metrics_begin(struct metrics *m);
void metrics_end(struct metrics *m, const struct metrics_request *r);

void metrics_add(struct metrics *m, enum metrics_counter which, int64_t n);
void metrics_move(struct metrics *m, enum metrics_gauge which, int64_t by);

/* How a login, or a refresh, ended, in the word that the log has for it. A word
 * that is not in metrics_shared.h counts as "other". */
void metrics_login(struct metrics *m, const char *outcome);
void metrics_refresh(struct metrics *m, const char *outcome);

/* Append everything in Prometheus' text format 0.0.4. */
void metrics_write(const struct metrics *m, struct buf *out);

#endif
