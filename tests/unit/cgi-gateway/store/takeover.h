/* takeover.h - writers that take one resumable upload from each other. Each
 * records from where it wrote, and how many of its bytes counted. */
#ifndef TAKEOVER_H
#define TAKEOVER_H

#include "tests/unit/cgi-gateway/store/resumable_objects.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>

enum { PLAYERS = 4, TURNS = 4000, ENOUGH = 3 * 1000 * 1000 };

struct turn {
	int64_t from, bytes;
	char letter;
};

struct game {
	atomic_int turns, mistakes;
	struct turn turn[TURNS];
};

static struct game *game; /* in memory that processes share */
static char letters[PLAYERS] = { 'A', 'B', 'C', 'D' };

/* Write and flush until another writer is newer, or some times. Returns how
 * many bytes counted. */
static int64_t write_some(struct resumable *r, char letter, unsigned *seed)
{
	char bytes[9000];
	int64_t from = resumable_at(r), counted = 0;
	unsigned flushes = 1 + *seed % 20;

	memset(bytes, letter, sizeof(bytes));
	for (unsigned i = 0; i < flushes; i++) {
		enum err e;

		*seed = *seed * 1103515245 + 12345;
		e = resumable_write(
			r, (struct span) { bytes, 1 + *seed / 65536 % 9000 },
			NULL);
		if (e == ERR_OK)
			e = resumable_flush(r, NULL);
		if (e == ERR_OK)
			counted = resumable_at(r) - from;
		if (e == ERR_OK && *seed % 7 == 0)
			e = resumable_sync(r, NULL);
		if (e == ERR_CONFLICT)
			break;
		if (e != ERR_OK)
			atomic_fetch_add(&game->mistakes, 1);
		(void)sched_yield();
	}
	return counted;
}

static void *play(void *letter)
{
	unsigned seed = (unsigned)*(char *)letter * 7919;
	int64_t where = 0;
	int turn = 0;

	while (where < ENOUGH && turn < TURNS) {
		struct resumable *r = NULL;
		enum err e = resumable_open(store, ID, &where, false, &r, NULL);
		struct turn t = { where, 0, *(char *)letter };

		if (e == ERR_CONFLICT)
			continue; /* `where` is right now, for a moment */
		if (e != ERR_OK) {
			atomic_fetch_add(&game->mistakes, 1);
			break;
		}
		t.bytes = write_some(r, t.letter, &seed);
		resumable_close(r);
		where += t.bytes;
		turn = atomic_fetch_add(&game->turns, 1);
		if (turn < TURNS)
			game->turn[turn] = t;
	}
	return NULL;
}

static void start_game(void)
{
	game = mmap(NULL, sizeof(*game), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(game != MAP_FAILED);
	create(ID);
}

/* Every byte that counted is there, and no other: the turns cover the upload,
 * and each holds one letter */
static void check_game(void)
{
	int64_t size = offset_of(ID), sum = 0;
	int turns = atomic_load(&game->turns);
	char *all = malloc((size_t)size + 1);
	unsigned char sha256[SHA256_LEN];
	struct resumable_commit *c = NULL;
	size_t got = 0;

	assert_non_null(all);
	assert_ok(resumable_commit_begin(store, ID, size, &c, sha256, &why));
	assert_ok(
		resumable_commit_read(c, 0, all, (size_t)size + 1, &got, &why));
	resumable_commit_leave(c);
	assert_int_equal(got, size);
	assert_int_equal(atomic_load(&game->mistakes), 0);
	assert_true(turns <= TURNS);
	for (int i = 0; i < turns; i++) {
		const struct turn *t = &game->turn[i];

		for (int64_t b = 0; b < t->bytes; b++)
			if (all[t->from + b] != t->letter)
				fail_msg("byte %lld is not %c",
					 (long long)(t->from + b), t->letter);
		sum += t->bytes;
	}
	assert_int_equal(sum, size);
	assert_true(size >= ENOUGH);
	free(all);
	(void)munmap(game, sizeof(*game));
}

#endif
