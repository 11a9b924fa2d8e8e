#include "common/metrics/metrics_shared.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* Atomics implemented with a lock would work within one process only */
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "64-bit atomics take a lock here");

/* Map the file; NULL on failure */
static struct metrics_shared *map_file(int fd)
{
	void *at = mmap(NULL, sizeof(struct metrics_shared),
			PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		at = NULL;
	return at;
}

enum err metrics_open(const struct metrics_layout *layout, const char *path,
		      struct metrics **out, struct errmsg *why)
{
	struct metrics *m = calloc(1, sizeof(*m));
	struct timespec now;
	enum err e = ERR_OK;

	if (m == NULL)
		return err_set(why, ERR_MEMORY, "out of memory");
	m->layout = *layout;
	m->file = -1;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	m->started = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
	if (path[0] == '\0') {
		m->shared = calloc(1, sizeof(*m->shared));
	} else {
		e = metrics_file_open(path, layout, &m->file, why);
		if (e == ERR_OK)
			m->shared = map_file(m->file);
	}
	if (e == ERR_OK && m->shared == NULL)
		e = err_set(why, ERR_MEMORY, "no memory for metrics");
	if (e != ERR_OK) {
		metrics_close(m);
		return e;
	}
	metrics_take_place(m);
	*out = m;
	return ERR_OK;
}

void metrics_close(struct metrics *m)
{
	if (m == NULL)
		return;
	if (m->own != NULL)
		atomic_store(&m->own->alive, 0);
	if (m->file < 0) {
		free(m->shared);
	} else {
		if (m->shared != NULL)
			(void)munmap(m->shared, sizeof(*m->shared));
		(void)close(m->file);
	}
	free(m);
}

/* --- counting ----------------------------------------------------------- */

static void count(metrics_count *which, int64_t n)
{
	if (n > 0)
		(void)atomic_fetch_add_explicit(which, (uint64_t)n,
						memory_order_relaxed);
}

static size_t method_of(struct span method)
{
	size_t i = 0;

	while (i < METRICS_METHODS - 1 &&
	       !span_eq(method, span_of(metrics_methods[i])))
		i++;
	return i;
}

static size_t bucket_of(int64_t us)
{
	size_t i = 0;

	while (i < METRICS_BUCKETS && us > metrics_bounds[i].us)
		i++;
	return i;
}

static int status_of(int status)
{
	int i = status - METRICS_STATUS_MIN;

	return i >= 0 && i < METRICS_STATUSES ? i : METRICS_STATUSES - 1;
}

void metrics_begin(struct metrics *m)
{
	metrics_move(m, METRICS_IN_FLIGHT, 1);
}

void metrics_end(struct metrics *m, const struct metrics_request *r)
{
	struct metrics_cell *cell;
	size_t row = 0;

	if (m == NULL)
		return;
	if (r->route >= 0 && (size_t)r->route < m->layout.route_count)
		row = (size_t)r->route + 1;
	cell = &m->shared->cells[row][method_of(r->method)];
	count(&cell->statuses[status_of(r->status)], 1);
	count(&cell->buckets[bucket_of(r->us)], 1);
	count(&cell->us, r->us);
	count(&cell->bytes_in, r->bytes_in);
	count(&cell->bytes_out, r->bytes_out);
	metrics_move(m, METRICS_IN_FLIGHT, -1);
}

void metrics_leave(struct metrics *m)
{
	metrics_move(m, METRICS_IN_FLIGHT, -1);
}

void metrics_add(struct metrics *m, enum metrics_counter which, int64_t n)
{
	if (m != NULL)
		count(&m->shared->counters[which], n);
}

void metrics_move(struct metrics *m, enum metrics_gauge which, int64_t by)
{
	if (m != NULL && m->own != NULL)
		(void)atomic_fetch_add_explicit(&m->own->gauges[which], by,
						memory_order_relaxed);
}

/* Return the index of `word`; that of the last one if it is not listed */
static size_t word_of(const char *word, const char *const *words, size_t n)
{
	size_t i = 0;

	while (i < n - 1 && strcmp(word, words[i]) != 0)
		i++;
	return i;
}

void metrics_login(struct metrics *m, const char *outcome)
{
	if (m != NULL)
		count(&m->shared->logins[word_of(outcome, metrics_logins,
						 METRICS_LOGINS)],
		      1);
}

void metrics_refresh(struct metrics *m, const char *outcome)
{
	if (m != NULL)
		count(&m->shared->refreshes[word_of(outcome, metrics_refreshes,
						    METRICS_REFRESHES)],
		      1);
}
