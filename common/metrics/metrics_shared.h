/* metrics_shared.h - inside metrics: the layout of the shared memory. Only
 * metrics.c, metrics_file.c and metrics_text.c include it.
 *
 * If a change here does not change the size, change METRICS_MAGIC: a file of
 * another layout must not be read.
 */
#ifndef METRICS_SHARED_H
#define METRICS_SHARED_H

#include "common/metrics/metrics.h"

#include <stdatomic.h>

#define METRICS_MAGIC "gatehouse-metrics-1"

enum {
	METRICS_METHODS = 8, /* the last is "other" */
	METRICS_STATUS_MIN = 100,
	METRICS_STATUSES = 500, /* 100 to 599 */
	METRICS_BUCKETS = 18,	/* of the histogram; and one for the rest */
};

static const char *const metrics_methods[METRICS_METHODS] = {
	"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other",
};

/* The last word of each list counts all others */
static const char *const metrics_logins[] = {
	"ok",
	"unknown-user",
	"wrong-password",
	"disabled",
	"malformed",
	"unusable-password",
	"too-many-attempts",
	"otp-required",
	"invalid-otp",
	"unavailable",
	"other",
};
static const char *const metrics_refreshes[] = {
	"ok", "grace", "reuse", "expired", "invalid", "unavailable", "other",
};
enum {
	METRICS_LOGINS = sizeof(metrics_logins) / sizeof(*metrics_logins),
	METRICS_REFRESHES =
		sizeof(metrics_refreshes) / sizeof(*metrics_refreshes),
};

typedef _Atomic uint64_t metrics_count;

/* All requests of one route and method */
struct metrics_cell {
	metrics_count buckets[METRICS_BUCKETS + 1]; /* not cumulative */
	metrics_count us, bytes_in, bytes_out;
	metrics_count statuses[METRICS_STATUSES];
};

/* One process; valid only while its lock is held */
struct metrics_place {
	_Atomic int64_t alive, gauges[METRICS_GAUGES];
};

struct metrics_head {
	char magic[32];
	uint64_t size, layout; /* of the mapping; a hash of metrics_layout */
};

struct metrics_shared {
	struct metrics_head head;
	metrics_count counters[METRICS_COUNTERS];
	metrics_count logins[METRICS_LOGINS], refreshes[METRICS_REFRESHES];
	struct metrics_place places[METRICS_PROCESSES];
	/* the first row is for paths without a route */
	struct metrics_cell cells[METRICS_ROUTES + 1][METRICS_METHODS];
};

struct metrics {
	struct metrics_layout layout;
	struct metrics_shared *shared; /* owned */
	struct metrics_place *own;     /* NULL when all slots are used */
	int file;		       /* -1: private memory */
	double started;		       /* seconds since 1970 */
};

/* Upper bounds of the buckets, in microseconds and as values of the label `le`:
 * from the duration of a token check to that of a large upload. */
static const struct metrics_bound {
	int64_t us;
	const char *le;
} metrics_bounds[METRICS_BUCKETS] = {
	{ 100, "0.0001" },  { 250, "0.00025" }, { 500, "0.0005" },
	{ 1000, "0.001" },  { 2500, "0.0025" }, { 5000, "0.005" },
	{ 10000, "0.01" },  { 25000, "0.025" }, { 50000, "0.05" },
	{ 100000, "0.1" },  { 250000, "0.25" }, { 500000, "0.5" },
	{ 1000000, "1" },   { 2500000, "2.5" }, { 5000000, "5" },
	{ 10000000, "10" }, { 60000000, "60" }, { 600000000, "600" },
};

/* Open the file at `path`; create it if it is missing. ERR_CONFIG, ERR_FULL,
 * ERR_UNAVAILABLE, ERR_IO. */
enum err metrics_file_open(const char *path,
			   const struct metrics_layout *layout, int *out,
			   struct errmsg *why) MUST_CHECK;

/* Set m->own to a free slot and lock it until the file is closed; NULL if all
 * slots are used. */
void metrics_take_place(struct metrics *m);

/* Whether the process that owns the slot is alive. */
bool metrics_lives(const struct metrics *m, const struct metrics_place *p);

#endif
