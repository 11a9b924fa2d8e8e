/* mariadb.h - the private database server of a test: see with-mariadb. */
#ifndef MARIADB_H
#define MARIADB_H

#include "common/db/db.h"
#include "tests/unit/unit.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Call first in main(): without a server, start the test again beside one */
static inline void mariadb_needed(char **argv)
{
	char script[] = "tests/unit/with-mariadb";
	char *again[] = { script, argv[0], NULL };

	if (getenv("UNIT_MARIADB") != NULL)
		return;
	(void)execv(script, again);
	perror(script);
	exit(1);
}

static inline const char *mariadb_file(const char *name)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", getenv("UNIT_MARIADB"),
		       name);
	return path;
}

/* A pool of `size` connections with a timeout of `seconds` */
static inline struct db *mariadb_pool_for(int64_t size, int64_t seconds)
{
	struct db_config c = { .socket = mariadb_file("sock"),
			       .user = "root",
			       .name = "test",
			       .pool = size,
			       .timeout = seconds };
	struct db *db = NULL;

	assert_ok(db_open(&c, &db, NULL));
	assert_non_null(db);
	return db;
}

/* With a timeout that is enough on a busy machine */
static inline struct db *mariadb_pool(int64_t size)
{
	return mariadb_pool_for(size, 60);
}

static inline void mariadb_signal(int sig)
{
	char text[32] = "";
	FILE *f = fopen(mariadb_file("pid"), "r");
	int64_t pid;

	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	(void)fclose(f);
	text[strcspn(text, "\n")] = '\0';
	assert_true(span_to_int(span_of(text), &pid));
	assert_true(pid > 1);
	assert_int_equal(kill((pid_t)pid, sig), 0);
}

/* Keep the server from being started again after it ends, or allow it */
static inline void mariadb_hold(bool hold)
{
	FILE *f;

	if (!hold) {
		(void)unlink(mariadb_file("hold"));
		return;
	}
	f = fopen(mariadb_file("hold"), "w");
	assert_non_null(f);
	(void)fclose(f);
}

static inline int64_t clock_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline void sleep_ms(int64_t ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&t, NULL);
}

#endif
