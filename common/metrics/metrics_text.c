#include "common/metrics/metrics_shared.h"

struct text {
	const struct metrics *m;
	struct buf *out;
};

static uint64_t get(const metrics_count *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

static void family(struct text *t, const char *name, const char *type,
		   const char *help)
{
	buf_printf(t->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
		   type);
}

/* Append a sample with one label of its own, or none (NULL) */
static void sample(struct text *t, const char *name, const char *label,
		   const char *value, int64_t n)
{
	buf_printf(t->out, "%s{program=\"%s\"", name, t->m->layout.program);
	if (label != NULL)
		buf_printf(t->out, ",%s=\"%s\"", label, value);
	buf_printf(t->out, "} %lld\n", (long long)n);
}

static void single(struct text *t, const char *name, const char *type,
		   const char *help, int64_t n)
{
	family(t, name, type, help);
	sample(t, name, NULL, NULL, n);
}

/* --- requests ------------------------------------------------------------ */

static uint64_t requests_in(const struct metrics_cell *c)
{
	uint64_t n = 0;

	for (size_t i = 0; i <= METRICS_BUCKETS; i++)
		n += get(&c->buckets[i]);
	return n;
}

/* Append the start of a sample's line, up to its last common label */
static void cell_labels(struct text *t, const char *name, const char *suffix,
			size_t row, size_t method)
{
	struct span route =
		span_of(row == 0 ? "other" : t->m->layout.routes[row - 1]);

	/* A pattern may end in the names of query parameters (router.h) */
	route.len = span_find(route, '?');
	buf_printf(t->out, "%s%s{program=\"%s\",method=\"%s\",route=\"%.*s\"",
		   name, suffix, t->m->layout.program, metrics_methods[method],
		   SPAN_ARG(route));
}

typedef void cell_fn(struct text *t, const char *name, size_t row,
		     size_t method, const struct metrics_cell *c);

/* Write the cells of all routes that were requested at least once */
static void each_cell(struct text *t, const char *name, cell_fn *write)
{
	for (size_t row = 0; row <= t->m->layout.route_count; row++) {
		for (size_t i = 0; i < METRICS_METHODS; i++) {
			const struct metrics_cell *c =
				&t->m->shared->cells[row][i];

			if (requests_in(c) > 0)
				write(t, name, row, i, c);
		}
	}
}

static void write_statuses(struct text *t, const char *name, size_t row,
			   size_t method, const struct metrics_cell *c)
{
	for (int i = 0; i < METRICS_STATUSES; i++) {
		uint64_t n = get(&c->statuses[i]);

		if (n == 0)
			continue;
		cell_labels(t, name, "", row, method);
		buf_printf(t->out, ",code=\"%d\"} %llu\n",
			   METRICS_STATUS_MIN + i, (unsigned long long)n);
	}
}

/* Compute the count as the sum of the buckets as read, so that the values are
 * consistent while requests are counted. */
static void write_duration(struct text *t, const char *name, size_t row,
			   size_t method, const struct metrics_cell *c)
{
	uint64_t n = 0, us;

	for (size_t i = 0; i <= METRICS_BUCKETS; i++) {
		n += get(&c->buckets[i]);
		cell_labels(t, name, "_bucket", row, method);
		buf_printf(t->out, ",le=\"%s\"} %llu\n",
			   i < METRICS_BUCKETS ? metrics_bounds[i].le : "+Inf",
			   (unsigned long long)n);
	}
	us = get(&c->us);
	cell_labels(t, name, "_sum", row, method);
	buf_printf(t->out, "} %llu.%06llu\n",
		   (unsigned long long)(us / 1000000),
		   (unsigned long long)(us % 1000000));
	cell_labels(t, name, "_count", row, method);
	buf_printf(t->out, "} %llu\n", (unsigned long long)n);
}

static void write_bytes_in(struct text *t, const char *name, size_t row,
			   size_t method, const struct metrics_cell *c)
{
	cell_labels(t, name, "", row, method);
	buf_printf(t->out, "} %llu\n", (unsigned long long)get(&c->bytes_in));
}

static void write_bytes_out(struct text *t, const char *name, size_t row,
			    size_t method, const struct metrics_cell *c)
{
	cell_labels(t, name, "", row, method);
	buf_printf(t->out, "} %llu\n", (unsigned long long)get(&c->bytes_out));
}

static void requests(struct text *t)
{
	family(t, "gatehouse_http_requests_total", "counter",
	       "Requests that have been answered.");
	each_cell(t, "gatehouse_http_requests_total", write_statuses);
	family(t, "gatehouse_http_request_duration_seconds", "histogram",
	       "Time from a request's arrival at the program to the end of its "
	       "answer.");
	each_cell(t, "gatehouse_http_request_duration_seconds", write_duration);
	family(t, "gatehouse_http_request_bytes_total", "counter",
	       "Bytes of request bodies that the program has read.");
	each_cell(t, "gatehouse_http_request_bytes_total", write_bytes_in);
	family(t, "gatehouse_http_response_bytes_total", "counter",
	       "Bytes of response bodies that the program has written, without "
	       "files that the server sends for it.");
	each_cell(t, "gatehouse_http_response_bytes_total", write_bytes_out);
}

/* --- the rest ------------------------------------------------------------- */

/* Sum the gauges of the processes that are alive */
static void sum_gauges(const struct metrics *m, int64_t *processes,
		       int64_t sums[static METRICS_GAUGES])
{
	*processes = 0;
	for (size_t i = 0; i < METRICS_GAUGES; i++)
		sums[i] = 0;
	for (size_t k = 0; k < METRICS_PROCESSES; k++) {
		const struct metrics_place *p = &m->shared->places[k];

		if (!metrics_lives(m, p))
			continue;
		++*processes;
		for (size_t i = 0; i < METRICS_GAUGES; i++)
			sums[i] += atomic_load_explicit(&p->gauges[i],
							memory_order_relaxed);
	}
}

static void gauges(struct text *t)
{
	int64_t processes, sums[METRICS_GAUGES], idle;

	sum_gauges(t->m, &processes, sums);
	/* The two are not read at the same instant */
	idle = sums[METRICS_DB_OPEN] - sums[METRICS_DB_USED];
	single(t, "gatehouse_http_requests_in_flight", "gauge",
	       "Requests in progress, including this one.",
	       sums[METRICS_IN_FLIGHT]);
	family(t, "gatehouse_db_connections", "gauge",
	       "Connections to the database.");
	sample(t, "gatehouse_db_connections", "state", "idle",
	       idle > 0 ? idle : 0);
	sample(t, "gatehouse_db_connections", "state", "used",
	       sums[METRICS_DB_USED]);
	single(t, "gatehouse_db_connections_limit", "gauge",
	       "Maximum number of connections to the database.",
	       sums[METRICS_DB_LIMIT]);
	single(t, "gatehouse_processes", "gauge",
	       "Running processes of this program.", processes);
}

static void words(struct text *t, const char *name, const char *help,
		  const char *const *names, const metrics_count *counts,
		  size_t n)
{
	family(t, name, "counter", help);
	for (size_t i = 0; i < n; i++)
		sample(t, name, "outcome", names[i], (int64_t)get(&counts[i]));
}

static int64_t counter(const struct text *t, enum metrics_counter which)
{
	return (int64_t)get(&t->m->shared->counters[which]);
}

static void counters(struct text *t)
{
	const char *errors = "gatehouse_db_errors_total";

	family(t, errors, "counter",
	       "Failures of the database: no connection could be made, the "
	       "whole pool was busy, a statement failed.");
	sample(t, errors, "kind", "connect",
	       counter(t, METRICS_DB_CONNECT_FAILED));
	sample(t, errors, "kind", "busy", counter(t, METRICS_DB_BUSY));
	sample(t, errors, "kind", "statement", counter(t, METRICS_DB_FAILED));
	words(t, "gatehouse_logins_total", "Attempts to log in.",
	      metrics_logins, t->m->shared->logins, METRICS_LOGINS);
	words(t, "gatehouse_refreshes_total", "Refresh tokens presented.",
	      metrics_refreshes, t->m->shared->refreshes, METRICS_REFRESHES);
	single(t, "gatehouse_uploads_files_total", "counter",
	       "Uploaded files that were stored.",
	       counter(t, METRICS_UPLOADED_FILES));
	single(t, "gatehouse_uploads_bytes_total", "counter",
	       "Bytes of uploaded files that were stored.",
	       counter(t, METRICS_UPLOADED_BYTES));
}

void metrics_write(const struct metrics *m, struct buf *out)
{
	struct text t = { m, out };

	if (m == NULL)
		return;
	requests(&t);
	gauges(&t);
	counters(&t);
	family(&t, "gatehouse_build_info", "gauge",
	       "The running version; the value is always 1.");
	sample(&t, "gatehouse_build_info", "version", GATEHOUSE_VERSION, 1);
	family(&t, "process_start_time_seconds", "gauge",
	       "Start time of the process that answers, in seconds since "
	       "1970.");
	buf_printf(out, "process_start_time_seconds %.3f\n", m->started);
}
