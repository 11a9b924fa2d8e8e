/* key_files.h - a temporary keyring file, and tokens signed with its keys. */
#ifndef KEY_FILES_H
#define KEY_FILES_H

#include "common/token/jwt.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <unistd.h>

#define KEY_A "key-a 1000 - AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n"
#define KEY_A_RETIRES \
	"key-a 1000 9000 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n"
#define KEY_B "key-b 2000 - OMCgS-4cPMe5sVUUJhl1Bc44xjXEAbth1rN-fFuGD_I\n"
#define KEY_C "key-c 3000 - YV-Fd4TjTpWtJPnFLtzEy0lvH4vim18Kbui1OOvmtmY\n"

struct key_file {
	char dir[256], path[300], aside[300];
};

static inline void key_file_put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* Atomically, like auth-admin */
static inline void key_file_replace(const struct key_file *k, const char *text)
{
	key_file_put(k->aside, text);
	assert_int_equal(rename(k->aside, k->path), 0);
}

static inline void key_file_make(struct key_file *k, const char *text)
{
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(k->dir, sizeof(k->dir), "%.200s/gatehouse-unit.XXXXXX",
		       tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(k->dir));
	(void)snprintf(k->path, sizeof(k->path), "%s/keyring", k->dir);
	(void)snprintf(k->aside, sizeof(k->aside), "%s/keyring.new", k->dir);
	key_file_replace(k, text);
}

static inline void key_file_remove(const struct key_file *k)
{
	(void)unlink(k->path);
	(void)unlink(k->aside);
	assert_int_equal(rmdir(k->dir), 0);
}

/* A token for `c`, signed by the last line of `text` */
static inline void key_text_sign(const char *text, const struct claims *c,
				 struct buf *out)
{
	struct keyring ring;

	assert_ok(keyring_from_text(span_of(text), &ring, NULL));
	assert_ok(jwt_sign(c, &ring, out));
	keyring_release(&ring);
}

#endif
