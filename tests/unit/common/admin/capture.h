/* capture.h - standard output and standard error of a call, as texts */
#ifndef CAPTURE_H
#define CAPTURE_H

#include "tests/unit/unit.h"

#include <unistd.h>

struct capture {
	FILE *file[2];
	int kept[2];
	char out[8192], err[1024]; /* filled by capture_end() */
};

static inline void capture_begin(struct capture *c)
{
	(void)fflush(NULL);
	for (int i = 0; i < 2; i++) {
		c->file[i] = tmpfile();
		assert_non_null(c->file[i]);
		c->kept[i] = dup(i + 1);
		assert_true(dup2(fileno(c->file[i]), i + 1) >= 0);
	}
}

static inline void capture_end(struct capture *c)
{
	char *const to[2] = { c->out, c->err };
	const size_t cap[2] = { sizeof(c->out), sizeof(c->err) };

	(void)fflush(NULL);
	for (int i = 0; i < 2; i++) {
		assert_true(dup2(c->kept[i], i + 1) >= 0);
		(void)close(c->kept[i]);
		rewind(c->file[i]);
		to[i][fread(to[i], 1, cap[i] - 1, c->file[i])] = '\0';
		(void)fclose(c->file[i]);
	}
}

#endif
