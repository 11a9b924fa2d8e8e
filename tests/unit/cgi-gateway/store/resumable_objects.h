/* resumable_objects.h - what tests of resumable uploads write and read. The
 * test has filled `large` and opened `store`. */
#ifndef RESUMABLE_OBJECTS_H
#define RESUMABLE_OBJECTS_H

#include "cgi-gateway/store/resumable.h"
#include "cgi-gateway/store/resumable_commit.h"
#include "tests/unit/cgi-gateway/store/store_objects.h"

enum { LARGE = 3 * 128 * 1024 + 5 }; /* three buffers of store_disk */

static char large[LARGE];

static inline void create(const char *id)
{
	assert_ok(resumable_create(store, id, &why));
}

static inline int64_t offset_of(const char *id)
{
	int64_t offset = -1, written_at = -1;

	assert_ok(resumable_offset(store, id, &offset, &written_at, &why));
	return offset;
}

static inline struct resumable *opened(const char *id, int64_t from,
				       bool tentative)
{
	struct resumable *r = NULL;
	int64_t found = from;

	assert_ok(resumable_open(store, id, &found, tentative, &r, &why));
	assert_non_null(r);
	assert_int_equal(found, from);
	assert_int_equal(resumable_at(r), from);
	return r;
}

static inline struct span large_from(int64_t from, int64_t to)
{
	return (struct span) { large + from, (size_t)(to - from) };
}

/* Its bytes from..to become those of `large`, durably */
static inline void append(const char *id, int64_t from, int64_t to)
{
	struct resumable *r = opened(id, from, false);

	assert_ok(resumable_write(r, large_from(from, to), &why));
	assert_ok(resumable_sync(r, &why));
	resumable_close(r);
}

/* --- commits -------------------------------------------------------------- */

static inline struct resumable_commit *opened_commit(const char *id,
						     struct span want)
{
	unsigned char sum[SHA256_LEN] = { 0 }, want_sum[SHA256_LEN];
	struct resumable_commit *c = NULL;

	assert_ok(resumable_commit_begin(store, id, (int64_t)want.len, &c, sum,
					 &why));
	assert_non_null(c);
	sha256_of(want, want_sum);
	assert_memory_equal(sum, want_sum, SHA256_LEN);
	return c;
}

/* Begin a commit and leave it */
static inline enum err try_commit(const char *id, int64_t length)
{
	unsigned char sum[SHA256_LEN];
	struct resumable_commit *c = NULL;
	enum err e = resumable_commit_begin(store, id, length, &c, sum, NULL);

	if (e == ERR_OK)
		resumable_commit_leave(c);
	else
		assert_null(c);
	return e;
}

static inline void commit(const char *id, struct span want)
{
	struct resumable_commit *c = opened_commit(id, want);

	assert_ok(resumable_commit_place(c, &why));
	resumable_commit_end(c);
}

/* The upload ID has become the object ID with all of `large` */
static inline void assert_committed(void)
{
	int64_t offset, written_at;

	assert_object(ID, large_from(0, LARGE), 100000);
	assert_err(try_commit(ID, LARGE), ERR_NOT_FOUND);
	assert_err(resumable_offset(store, ID, &offset, &written_at, &why),
		   ERR_NOT_FOUND);
}

/* The bytes that count are `want`. Closes the upload to writers. */
static inline void assert_bytes(const char *id, struct span want)
{
	struct resumable_commit *c = opened_commit(id, want);
	char *got = malloc(want.len + 1);
	size_t n = 0;

	assert_non_null(got);
	assert_ok(resumable_commit_read(c, 0, got, want.len + 1, &n, &why));
	assert_int_equal(n, want.len);
	if (n > 0)
		assert_memory_equal(got, want.p, n);
	free(got);
	resumable_commit_leave(c);
}

#endif
