/* metrics.h - counters and gauges of a program, for Prometheus.
 *
 * Counters are in memory that all threads share and, with a file, all processes
 * of the program, including plain CGI processes, which serve one request each.
 * They are C11 atomics in a mapping of fixed layout, so counting needs no lock
 * and no allocation, and is exact. The file outlives the processes, and the
 * counters continue from their last values.
 *
 * Gauges (what is in progress now) are kept per process. A process keeps a
 * record lock (fcntl) on its slot while it runs. The kernel releases the lock
 * however the process ends, even by kill -9, and from then on the slot is not
 * counted. No process table is read, so this works in containers that share the
 * file.
 *
 * Every call does nothing if `m` is NULL.
 */
#ifndef METRICS_H
#define METRICS_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/span.h"

enum {
	METRICS_ROUTES = 64,	    /* of one program */
	METRICS_NO_ROUTE = -1,	    /* a path without a route */
	METRICS_PROCESSES = 512,    /* with a slot for gauges */
	METRICS_TEXT_MAX = 4 << 20, /* bytes of all metrics as text */
};

/* Counters only grow */
enum metrics_counter {
	METRICS_DB_CONNECT_FAILED, /* no connection could be made */
	METRICS_DB_BUSY,	   /* the whole pool was in use */
	METRICS_DB_FAILED,	   /* a statement failed */
	METRICS_UPLOADED_FILES,
	METRICS_UPLOADED_BYTES,
	METRICS_COUNTERS
};

/* Gauges go up and down */
enum metrics_gauge {
	METRICS_IN_FLIGHT, /* requests; set by metrics_begin() and _end() */
	METRICS_DB_OPEN,   /* connections, idle or used */
	METRICS_DB_USED,
	METRICS_DB_LIMIT, /* the pool's size */
	METRICS_GAUGES
};

/* The series of a program; the texts are literals. */
struct metrics_layout {
	const char *program;
	/* The patterns of its routes. Only these become values of the label
	 * `route`, so a client cannot create new series. */
	const char *routes[METRICS_ROUTES];
	size_t route_count;
};

struct metrics;

/* Map `path`, or private memory if it is "". A file that is missing, or has the
 * layout of another version, is created and starts from zero. Open it once per
 * process. Its space is reserved, so a disk that fills up later does no harm.
 *
 *   ERR_CONFIG  the file cannot be opened or created, or is another
 *               user's; or there are too many routes
 *   ERR_FULL    no space for it
 *   ERR_UNAVAILABLE  it cannot be locked
 *   ERR_MEMORY, ERR_IO */
enum err metrics_open(const struct metrics_layout *layout, const char *path,
		      struct metrics **out, struct errmsg *why) MUST_CHECK;
void metrics_close(struct metrics *m);

/* Whether metrics_open() is likely to succeed, without creating anything.
 * Returns ERR_CONFIG if it is not. */
enum err metrics_check(const char *path, struct errmsg *why) MUST_CHECK;

/* A request that has been answered. */
struct metrics_request {
	int route; /* index in the layout, or METRICS_NO_ROUTE */
	struct span method;
	int status;
	int64_t us; /* microseconds from accept to the end of the response */
	int64_t bytes_in, bytes_out; /* of bodies, by the program itself */
};

void metrics_begin(struct metrics *m);
void metrics_end(struct metrics *m, const struct metrics_request *r);
/* Instead of metrics_end(): the request is counted when it arrives with its
 * body. */
void metrics_leave(struct metrics *m);

void metrics_add(struct metrics *m, enum metrics_counter which, int64_t n);
void metrics_move(struct metrics *m, enum metrics_gauge which, int64_t by);

/* Count a login, or a refresh, by its outcome as in the log. A word that is not
 * in metrics_shared.h counts as "other". */
void metrics_login(struct metrics *m, const char *outcome);
void metrics_refresh(struct metrics *m, const char *outcome);

/* Append everything in Prometheus' text format 0.0.4. */
void metrics_write(const struct metrics *m, struct buf *out);

#endif
