/* store_objects.h - what tests of a store write into it and read from it. */
#ifndef STORE_OBJECTS_H
#define STORE_OBJECTS_H

#include "cgi-gateway/store/store.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#define ID "0190b3a2-0000-7000-8000-0000000000ab"
#define OTHER_ID "0190b3a2-0000-7000-8000-0000000000ac"

static struct store *store;
static struct errmsg why;

static inline enum err count_item(void *count, const struct store_item *item)
{
	(void)item;
	++*(size_t *)count;
	return ERR_OK;
}

/* Objects and unfinished ones */
static inline size_t items(void)
{
	size_t count = 0;

	assert_ok(store_walk(store, count_item, &count, &why));
	return count;
}

static inline struct store_writer *opened_writer(const char *id)
{
	struct store_writer *w = NULL;

	assert_ok(store_writer_open(store, id, &w, &why));
	assert_non_null(w);
	return w;
}

static inline void put(const char *id, struct span bytes)
{
	struct store_writer *w = opened_writer(id);

	assert_ok(store_writer_write(w, bytes, &why));
	assert_ok(store_writer_commit(w, &why));
}

/* The object is `want`, read in pieces of `piece` bytes */
static inline void assert_object(const char *id, struct span want, size_t piece)
{
	struct store_reader *r = NULL;
	int64_t size = -1;
	size_t got = 1, n = 0;
	char *to = malloc(piece);

	assert_non_null(to);
	assert_ok(store_exists(store, id, &why));
	assert_ok(store_reader_open(store, id, 0, &r, &size, &why));
	assert_int_equal(size, want.len);
	while (got > 0) {
		assert_ok(store_reader_read(r, to, piece, &got, &why));
		assert_true(got <= piece && n + got <= want.len);
		if (got > 0)
			assert_memory_equal(to, want.p + n, got);
		n += got;
	}
	assert_int_equal(n, want.len);
	store_reader_close(r);
	free(to);
}

static inline void assert_no_object(const char *id)
{
	struct store_reader *r = NULL;
	int64_t size = -7;

	assert_err(store_exists(store, id, &why), ERR_NOT_FOUND);
	assert_err(store_reader_open(store, id, 0, &r, &size, &why),
		   ERR_NOT_FOUND);
	assert_null(r);
	assert_int_equal(size, -7);
}

/* Fill with bytes of which no two neighbouring blocks are alike */
static inline void fill(char *to, size_t n)
{
	uint64_t x = 88172645463325252ULL;

	for (size_t i = 0; i < n; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		to[i] = (char)x;
	}
}

#endif
