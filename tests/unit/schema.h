/* schema.h - the tables of schema/ in a unit test's database. */
#ifndef SCHEMA_H
#define SCHEMA_H

#include "tests/unit/mariadb.h"

#include <fcntl.h>
#include <sys/wait.h>

/* Run one file of schema/, like "auth/010-throttle", on the test's server. */
static inline void schema_run(const char *name)
{
	char path[256], socket[300];
	int status = -1;
	pid_t child;

	(void)snprintf(path, sizeof(path), "schema/%s.sql", name);
	(void)snprintf(socket, sizeof(socket), "--socket=%s",
		       mariadb_file("sock"));
	child = fork();
	if (child == 0) {
		if (dup2(open(path, O_RDONLY), STDIN_FILENO) == STDIN_FILENO)
			(void)execlp("mariadb", "mariadb", "--no-defaults",
				     socket, "--user=root", "test",
				     (char *)NULL);
		_exit(127);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static inline void schema_auth(const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "auth/%s", name);
	schema_run(path);
}

#endif
