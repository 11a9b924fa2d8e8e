#include "common/server/worker_limits.h"

#include "common/log/log.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
	REPORT_MS = 60000, /* between two log lines about the same */
};

/* Several threads fail at the same time; one line is enough */
static bool may_report(atomic_llong *reported_ms)
{
	struct timespec t = { 0, 0 };
	long long now, last = atomic_load(reported_ms);

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	now = (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
	return (last == 0 || now - last >= REPORT_MS) &&
	       atomic_compare_exchange_strong(reported_ms, &last, now);
}

void *worker_limits_reserve(size_t size)
{
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	void *at;

	if (zero < 0)
		return NULL;
	at = mmap(NULL, size, PROT_NONE, MAP_PRIVATE, zero, 0);
	(void)close(zero);
	if (at == MAP_FAILED)
		return NULL;
	return at;
}

void worker_limits_release(void *at, size_t size)
{
	if (at != NULL)
		(void)munmap(at, size);
}

void worker_limits_report_fewer(size_t count, size_t wanted, int failed)
{
	char text[200], reason[64];

	if (strerror_r(failed, reason, sizeof(reason)) != 0)
		(void)snprintf(reason, sizeof(reason), "error %d", failed);
	(void)snprintf(
		text, sizeof(text),
		"only %zu of %zu threads (THREADS) could be started: %s; lower "
		"THREADS, or raise the process's limits of memory and tasks",
		count, wanted, reason);
	log_event(LOG_ERROR, "start", text);
}

void worker_limits_report_start(size_t count, int failed)
{
	static atomic_llong reported_ms;
	char text[200], reason[64];

	if (!may_report(&reported_ms))
		return;
	if (strerror_r(failed, reason, sizeof(reason)) != 0)
		(void)snprintf(reason, sizeof(reason), "error %d", failed);
	(void)snprintf(text, sizeof(text),
		       "no thread beyond %zu could be started, so requests "
		       "wait: %s; raise the process's limits of memory and "
		       "tasks, or lower CONNECTIONS",
		       count, reason);
	log_event(LOG_ERROR, "threads", text);
}

/* A connection waits in the queue of the socket until accept succeeds */
void worker_limits_report_accept(enum err e)
{
	static atomic_llong reported_ms;

	if (!may_report(&reported_ms))
		return;
	log_event(LOG_ERROR, "accept",
		  e == ERR_OVERLOADED
			  ? "no descriptor or memory is left for a connection, "
			    "so requests wait; raise the process's limit of "
			    "open files (ulimit -n, LimitNOFILE=), or lower "
			    "CONNECTIONS, THREADS and DB_POOL"
			  : "a connection of the web server could not be "
			    "accepted");
}
