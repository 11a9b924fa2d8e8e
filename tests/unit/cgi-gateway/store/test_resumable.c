#include "tests/unit/cgi-gateway/partials.h"

#include <sched.h>
#include <stdatomic.h>
#include <time.h>

/* --- what counts ---------------------------------------------------------- */

static void a_new_one_has_no_bytes_and_is_there_once(void **state)
{
	int64_t offset = -1, written_at = -1;
	int64_t now = (int64_t)time(NULL);

	(void)state;
	assert_err(resumable_offset(store, ID, &offset, &written_at, &why),
		   ERR_NOT_FOUND);
	assert_int_equal(offset, -1);
	create(ID);
	assert_ok(resumable_offset(store, ID, &offset, &written_at, &why));
	assert_int_equal(offset, 0);
	assert_true(written_at >= now - 2 && written_at <= now + 60);
	assert_err(resumable_create(store, ID, &why), ERR_CONFLICT);
	create(OTHER_ID);
	assert_int_equal(offset_of(ID), 0);
}

static void only_owner_and_group_may_look(void **state)
{
	struct stat st;
	mode_t before = umask(0);

	(void)state;
	create(ID);
	(void)umask(before);
	assert_int_equal(stat(at("incoming/" ID), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(stat(at("incoming/" ID ".mark"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void what_is_gathered_counts_when_it_is_pushed(void **state)
{
	struct resumable *p;

	(void)state;
	create(ID);
	p = opened(ID, 0, false);
	assert_ok(resumable_write(p, SPAN("hello"), &why));
	assert_int_equal(resumable_at(p), 5);
	assert_int_equal(offset_of(ID), 0);
	assert_ok(resumable_flush(p, &why));
	assert_int_equal(offset_of(ID), 5);
	assert_ok(resumable_flush(p, &why)); /* nothing to do */
	assert_ok(resumable_write(p, SPAN(" world"), &why));
	resumable_close(p); /* what was not pushed is gone */
	assert_int_equal(offset_of(ID), 5);
	assert_file("incoming/" ID, SPAN("hello"));
	resumable_close(NULL);
}

static void a_full_gather_counts_at_once(void **state)
{
	struct resumable *p;

	(void)state;
	create(ID);
	p = opened(ID, 0, false);
	assert_ok(
		resumable_write(p, large_from(0, RESUMABLE_GATHER - 1), &why));
	assert_int_equal(offset_of(ID), 0);
	assert_ok(resumable_write(
		p, large_from(RESUMABLE_GATHER - 1, 2 * RESUMABLE_GATHER + 7),
		&why));
	assert_int_equal(offset_of(ID), 2 * RESUMABLE_GATHER);
	assert_int_equal(resumable_at(p), 2 * RESUMABLE_GATHER + 7);
	resumable_close(p);
}

static void it_goes_on_where_it_is_and_nowhere_else(void **state)
{
	static const int64_t wrong[] = { 0, 4, 6, INT64_MAX };
	struct resumable *p = NULL, *older;

	(void)state;
	create(ID);
	older = opened(ID, 0, false);
	assert_ok(resumable_write(older, SPAN("hello"), &why));
	assert_ok(resumable_flush(older, &why));
	for (size_t i = 0; i < COUNT(wrong); i++) {
		int64_t found = wrong[i];

		assert_err(resumable_open(store, ID, &found, false, &p, &why),
			   ERR_CONFLICT);
		assert_null(p);
		assert_int_equal(found, 5);
	}
	/* who was refused has taken nothing over */
	assert_ok(resumable_write(older, SPAN("!"), &why));
	assert_ok(resumable_sync(older, &why));
	resumable_close(older);
	assert_int_equal(offset_of(ID), 6);
}

static void what_is_not_there_cannot_be_gone_on_with(void **state)
{
	struct resumable *p = NULL;
	int64_t found = 0;

	(void)state;
	assert_err(resumable_open(store, ID, &found, false, &p, &why),
		   ERR_NOT_FOUND);
	assert_null(p);
	assert_err(resumable_remove(store, ID, &why), ERR_NOT_FOUND);
}

static void a_short_write_goes_on(void **state)
{
	(void)state;
	create(ID);
	write_max = 5000;
	append(ID, 0, LARGE);
	assert_file("incoming/" ID, large_from(0, LARGE));
}

static void nothing_stays_open(void **state)
{
	size_t before = open_files();
	struct resumable *p = NULL;
	int64_t found = 7;

	(void)state;
	create(ID);
	append(ID, 0, 100);
	(void)offset_of(ID);
	assert_err(resumable_open(store, ID, &found, false, &p, &why),
		   ERR_CONFLICT);
	assert_ok(resumable_remove(store, ID, &why));
	found = 0;
	assert_err(resumable_open(store, ID, &found, false, &p, &why),
		   ERR_NOT_FOUND);
	assert_int_equal(open_files(), before);
}

/* --- who may write -------------------------------------------------------- */

static void an_older_writer_is_refused_and_not_a_byte_of_it_lands(void **state)
{
	struct resumable *older, *newer;

	(void)state;
	create(ID);
	older = opened(ID, 0, false);
	assert_ok(resumable_write(older, SPAN("aaa"), &why));
	assert_ok(resumable_flush(older, &why));
	assert_ok(resumable_write(older, SPAN("AAAA"), &why));
	newer = opened(ID, 3, false);
	assert_err(resumable_flush(older, &why), ERR_CONFLICT);
	assert_int_equal(offset_of(ID), 3);
	assert_ok(resumable_write(newer, SPAN("b"), &why));
	assert_ok(resumable_sync(newer, &why));
	assert_err(resumable_sync(older, &why), ERR_CONFLICT);
	assert_int_equal(offset_of(ID), 4);
	resumable_close(older);
	resumable_close(newer);
	assert_file("incoming/" ID, SPAN("aaab"));
}

static void an_older_writer_keeps_nothing_for_the_newer(void **state)
{
	struct resumable *older, *newer;

	(void)state;
	create(ID);
	older = opened(ID, 0, false);
	assert_ok(resumable_write(older, SPAN("aaa"), &why));
	assert_ok(resumable_flush(older, &why));
	newer = opened(ID, 3, false);
	/* It has nothing to write; its mark would be an old one all the same */
	assert_err(resumable_sync(older, &why), ERR_CONFLICT);
	assert_ok(resumable_write(newer, SPAN("bbb"), &why));
	assert_ok(resumable_sync(newer, &why));
	assert_err(resumable_sync(older, &why), ERR_CONFLICT);
	reboot();
	assert_int_equal(offset_of(ID), 6);
	resumable_close(older);
	resumable_close(newer);
}

/* Many who take over from each other: each notes from where it wrote and how
 * many of its bytes counted. */
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

static int64_t push_some(struct resumable *p, char letter, unsigned *seed)
{
	char bytes[9000];
	int64_t from = resumable_at(p), counted = 0;
	unsigned pushes = 1 + *seed % 20;

	memset(bytes, letter, sizeof(bytes));
	for (unsigned i = 0; i < pushes; i++) {
		enum err e;

		*seed = *seed * 1103515245 + 12345;
		e = resumable_write(
			p, (struct span) { bytes, 1 + *seed / 65536 % 9000 },
			NULL);
		if (e == ERR_OK)
			e = resumable_flush(p, NULL);
		if (e == ERR_OK)
			counted = resumable_at(p) - from;
		if (e == ERR_OK && *seed % 7 == 0)
			e = resumable_sync(p, NULL);
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
		struct resumable *p = NULL;
		enum err e = resumable_open(store, ID, &where, false, &p, NULL);
		struct turn t = { where, 0, *(char *)letter };

		if (e == ERR_CONFLICT)
			continue; /* `where` is right now, for a moment */
		if (e != ERR_OK) {
			atomic_fetch_add(&game->mistakes, 1);
			break;
		}
		t.bytes = push_some(p, t.letter, &seed);
		resumable_close(p);
		where += t.bytes;
		turn = atomic_fetch_add(&game->turns, 1);
		if (turn < TURNS)
			game->turn[turn] = t;
	}
	return NULL;
}

static void begin_game(void)
{
	int fd = open(at("game"), O_RDWR | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, sizeof(*game)), 0);
	game = mmap(NULL, sizeof(*game), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    0);
	(void)close(fd);
	assert_true(game != MAP_FAILED);
	create(ID);
}

/* Every byte that counted is there, and no other: the turns cover the file, and
 * each holds one letter */
static void end_game(void)
{
	int64_t size = offset_of(ID), sum = 0;
	char *all = malloc((size_t)size + 1);
	FILE *f = fopen(at("incoming/" ID), "rb");
	int turns = atomic_load(&game->turns);

	assert_non_null(all);
	assert_non_null(f);
	assert_int_equal(fread(all, 1, (size_t)size + 1, f), size);
	(void)fclose(f);
	assert_int_equal(atomic_load(&game->mistakes), 0);
	assert_true(turns <= TURNS);
	for (int i = 0; i < turns; i++) {
		const struct turn *t = &game->turn[i];

		for (int64_t b = 0; b < t->bytes; b++)
			if (all[t->from + b] != t->letter)
				fail_msg("byte %lld is no %c",
					 (long long)(t->from + b), t->letter);
		sum += t->bytes;
	}
	assert_int_equal(sum, size);
	assert_true(size >= ENOUGH);
	free(all);
	(void)munmap(game, sizeof(*game));
}

static char letters[PLAYERS] = { 'A', 'B', 'C', 'D' };

static void threads_that_take_over_never_mix_their_bytes(void **state)
{
	pthread_t threads[PLAYERS];

	(void)state;
	begin_game();
	for (size_t i = 0; i < PLAYERS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, play, &letters[i]),
			0);
	for (size_t i = 0; i < PLAYERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	end_game();
}

static void nor_do_processes(void **state)
{
	pid_t children[PLAYERS];
	int status;

	(void)state;
	begin_game();
	for (size_t i = 0; i < PLAYERS; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			(void)play(&letters[i]);
			_exit(0);
		}
		assert_true(children[i] > 0);
	}
	for (size_t i = 0; i < PLAYERS; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	end_game();
}

static void a_removed_one_takes_no_more(void **state)
{
	struct resumable *p, *second = NULL;
	int64_t found = 3;

	(void)state;
	create(ID);
	p = opened(ID, 0, false);
	assert_ok(resumable_write(p, SPAN("aaa"), &why));
	assert_ok(resumable_flush(p, &why));
	assert_ok(resumable_write(p, SPAN("b"), &why));
	assert_ok(resumable_remove(store, ID, &why));
	assert_err(resumable_flush(p, &why), ERR_CONFLICT);
	assert_err(resumable_open(store, ID, &found, false, &second, &why),
		   ERR_NOT_FOUND);
	resumable_close(p);
	assert_int_equal(folder_files(dir), 0);
	create(ID); /* nothing of it is in the way */
	assert_int_equal(offset_of(ID), 0);
}

/* Somebody who came while it was removed, and has the mark open already */
static void who_waited_while_it_was_removed_does_not_get_it(void **state)
{
	struct resumable *p = NULL;
	int64_t found = 0;

	(void)state;
	create(ID);
	/* what a remover has done when it gives the lock back */
	assert_int_equal(link(at("incoming/" ID ".mark"), at("incoming/kept")),
			 0);
	assert_ok(resumable_remove(store, ID, &why));
	create(ID);
	assert_int_equal(
		rename(at("incoming/kept"), at("incoming/" ID ".mark")), 0);
	assert_err(resumable_open(store, ID, &found, false, &p, &why),
		   ERR_NOT_FOUND);
	assert_null(p);
}

/* --- bytes with a condition ----------------------------------------------- */

static void tentative_bytes_count_together_or_not_at_all(void **state)
{
	struct resumable *p;

	(void)state;
	create(ID);
	append(ID, 0, 3);
	p = opened(ID, 3, true);
	assert_ok(resumable_write(p, large_from(3, LARGE), &why));
	assert_ok(resumable_flush(p, &why));
	assert_int_equal(offset_of(ID), 3);
	resumable_close(p);
	assert_int_equal(offset_of(ID), 3);
	p = opened(ID, 3, true);
	assert_ok(resumable_write(p, large_from(3, 10), &why));
	assert_ok(resumable_sync(p, &why));
	assert_int_equal(offset_of(ID), 10);
	resumable_close(p);
	assert_file("incoming/" ID, large_from(0, 10));
}

static void who_takes_over_from_a_tentative_one_cuts_its_bytes_off(void **state)
{
	struct resumable *older, *newer;

	(void)state;
	create(ID);
	append(ID, 0, 3);
	older = opened(ID, 3, true);
	assert_ok(resumable_write(older, SPAN("XXXXXXXX"), &why));
	assert_ok(resumable_flush(older, &why));
	newer = opened(ID, 3, false);
	assert_ok(resumable_write(newer, large_from(3, 5), &why));
	assert_ok(resumable_flush(newer, &why));
	assert_int_equal(offset_of(ID), 5);
	assert_err(resumable_sync(older, &why), ERR_CONFLICT);
	resumable_close(older);
	resumable_close(newer);
	assert_file("incoming/" ID, large_from(0, 5));
}

static void what_counted_before_a_tentative_one_counts_after_it(void **state)
{
	struct resumable *p;

	(void)state;
	create(ID);
	p = opened(ID, 0, false);
	assert_ok(resumable_write(p, large_from(0, LARGE), &why));
	assert_ok(resumable_flush(p, &why));
	resumable_close(p); /* not kept: a tail */
	p = opened(ID, LARGE, true);
	resumable_close(p);
	assert_int_equal(offset_of(ID), LARGE);
	reboot(); /* and the tail became safe when it was taken over */
	assert_int_equal(offset_of(ID), LARGE);
}

/* --- crashes -------------------------------------------------------------- */

static int write_and_be_killed(void)
{
	struct resumable *p = NULL;
	int64_t from = 0;

	if (resumable_open(store, ID, &from, false, &p, NULL) != ERR_OK ||
	    resumable_write(p, large_from(0, 1000), NULL) != ERR_OK ||
	    resumable_sync(p, NULL) != ERR_OK ||
	    resumable_write(p, large_from(1000, LARGE - 3), NULL) != ERR_OK ||
	    resumable_flush(p, NULL) != ERR_OK ||
	    resumable_write(p, large_from(LARGE - 3, LARGE), NULL) != ERR_OK)
		return 1;
	be_killed();
}

static void what_was_written_counts_also_when_the_process_is_killed(
	void **state)
{
	(void)state;
	create(ID);
	assert_killed(in_a_process(write_and_be_killed));
	assert_int_equal(offset_of(ID), LARGE - 3);
	append(ID, LARGE - 3, LARGE);
	assert_file("incoming/" ID, large_from(0, LARGE));
}

static void after_a_loss_of_power_what_was_kept_counts(void **state)
{
	(void)state;
	create(ID);
	assert_killed(in_a_process(write_and_be_killed));
	reboot();
	assert_int_equal(offset_of(ID), 1000);
	append(ID, 1000, LARGE);
	assert_file("incoming/" ID, large_from(0, LARGE));
	assert_int_equal(offset_of(ID), LARGE);
}

static void where_the_boot_has_no_name_only_what_was_kept_is_sure(void **state)
{
	(void)state;
	memset(store->boot, 0, sizeof(store->boot));
	create(ID);
	assert_killed(in_a_process(write_and_be_killed));
	assert_int_equal(offset_of(ID), 1000);
}

static int write_tentatively_and_be_killed(void)
{
	struct resumable *p = NULL;
	int64_t from = 3;

	if (resumable_open(store, ID, &from, true, &p, NULL) != ERR_OK ||
	    resumable_write(p, large_from(3, LARGE), NULL) != ERR_OK ||
	    resumable_flush(p, NULL) != ERR_OK)
		return 1;
	be_killed();
}

static void tentative_bytes_do_not_count_when_the_process_is_killed(
	void **state)
{
	(void)state;
	create(ID);
	append(ID, 0, 3);
	assert_killed(in_a_process(write_tentatively_and_be_killed));
	assert_int_equal(offset_of(ID), 3);
	append(ID, 3, 10);
	assert_file("incoming/" ID, large_from(0, 10));
}

static void to_keep_is_to_make_bytes_safe_and_then_the_mark(void **state)
{
	struct resumable *p;
	int before;

	(void)state;
	create(ID);
	assert_true(safe_calls > 0); /* its names */
	p = opened(ID, 0, false);
	before = safe_calls;
	assert_ok(resumable_write(p, SPAN("hello"), &why));
	assert_ok(resumable_flush(p, &why));
	assert_int_equal(safe_calls, before);
	assert_ok(resumable_sync(p, &why));
	assert_int_equal(safe_calls, before + 2);
	assert_ok(resumable_sync(p, &why)); /* it is all safe already */
	assert_int_equal(safe_calls, before + 2);
	resumable_close(p);
}

static void now_and_then_it_is_kept_by_itself(void **state)
{
	struct resumable *p;
	int64_t n = 0;

	(void)state;
	create(ID);
	p = opened(ID, 0, false);
	for (; n < RESUMABLE_SYNC_EVERY + 2 * LARGE; n += LARGE)
		assert_ok(resumable_write(p, large_from(0, LARGE), &why));
	reboot();
	assert_true(offset_of(ID) >= RESUMABLE_SYNC_EVERY);
	assert_true(offset_of(ID) < RESUMABLE_SYNC_EVERY + LARGE);
	resumable_close(p);
}

static void write_file(const char *name, struct span bytes)
{
	FILE *f = fopen(at(name), "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes.p, 1, bytes.len, f), bytes.len);
	assert_int_equal(fclose(f), 0);
}

/* What a loss of power may leave of a file that was made just before it */
static void a_mark_that_was_lost_says_that_nothing_is_kept(void **state)
{
	const struct span lost[] = { SPAN(""),
				     SPAN("ghpart1"),
				     { large, 4096 } };

	(void)state;
	create(ID);
	append(ID, 0, 100);
	for (size_t i = 0; i < COUNT(lost); i++) {
		struct resumable *older = opened(ID, 100, false);

		write_file("incoming/" ID ".mark", lost[i]);
		assert_int_equal(offset_of(ID), 0);
		append(ID, 0, 100);
		assert_ok(resumable_write(older, SPAN("x"), &why));
		assert_err(resumable_flush(older, &why), ERR_CONFLICT);
		resumable_close(older);
		assert_file("incoming/" ID, large_from(0, 100));
	}
}

/* --- a disk that fails ---------------------------------------------------- */

/* All of it, in three requests */
static enum err write_all(void)
{
	static const int64_t ends[] = { 1000, 2 * RESUMABLE_GATHER, LARGE };
	enum err e = ERR_OK;

	for (size_t i = 0; i < COUNT(ends) && e == ERR_OK; i++) {
		struct resumable *p = NULL;
		int64_t from = i > 0 ? ends[i - 1] : 0;

		e = resumable_open(store, ID, &from, i == 1, &p, &why);
		if (e == ERR_OK)
			e = resumable_write(p, large_from(from, ends[i]), &why);
		if (e == ERR_OK)
			e = resumable_sync(p, &why);
		resumable_close(p);
	}
	return e;
}

/* The same, with the call number `n` failing, and all after it; false when
 * there was no such call. */
static bool write_failing(int n, int errno_, enum err want)
{
	enum err e;

	has_failed = false;
	calls_left = n;
	fail_with = errno_;
	e = write_all();
	calls_left = NEVER;
	if (!has_failed) {
		assert_ok(e);
		return false;
	}
	assert_err(e, want);
	assert_contains(why.text, strerror(errno_));
	return true;
}

static void a_failure_at_any_step_loses_nothing_that_counted(void **state)
{
	static const struct {
		int number;
		enum err e;
	} errors[] = { { ENOSPC, ERR_FULL },
		       { EDQUOT, ERR_FULL },
		       { EIO, ERR_IO } };

	(void)state;
	for (size_t i = 0; i < COUNT(errors); i++) {
		size_t files = open_files();
		int64_t most = 0;
		int n = 0;

		for (;; n++) {
			create(ID);
			if (!write_failing(n, errors[i].number, errors[i].e))
				break;
			assert_true(offset_of(ID) >= most);
			most = offset_of(ID);
			append(ID, most, LARGE);
			assert_file("incoming/" ID, large_from(0, LARGE));
			assert_int_equal(open_files(), files);
			assert_ok(resumable_remove(store, ID, &why));
		}
		assert_true(n > 10);
		assert_ok(resumable_remove(store, ID, &why));
	}
}

static int killed_at; /* the number of the call before which it ends */

static int write_all_killed(void)
{
	calls_left = killed_at;
	fail_with = 0;
	return write_all() == ERR_OK ? 0 : 1;
}

static void nor_does_a_kill_before_any_step(void **state)
{
	int64_t most = 0;
	int status;

	(void)state;
	for (killed_at = 0;; killed_at++) {
		create(ID);
		status = in_a_process(write_all_killed);
		if (status == 0)
			break;
		assert_killed(status);
		assert_true(offset_of(ID) >= most);
		most = offset_of(ID);
		append(ID, most, LARGE);
		assert_file("incoming/" ID, large_from(0, LARGE));
		assert_ok(resumable_remove(store, ID, &why));
	}
	assert_true(killed_at > 10);
	assert_int_equal(offset_of(ID), LARGE);
}

static void what_cannot_be_created_leaves_nothing(void **state)
{
	(void)state;
	for (int n = 0; n < 2; n++) {
		calls_left = n;
		fail_with = ENOSPC;
		assert_err(resumable_create(store, ID, &why), ERR_FULL);
		calls_left = NEVER;
		assert_int_equal(folder_files(dir), 0);
	}
	create(ID);
}

/* --- one behind the other ------------------------------------------------- */

static void what_another_holds_is_appended_if_it_is_all_there(void **state)
{
	struct resumable *p, *other;

	(void)state;
	create(ID);
	create(OTHER_ID);
	append(ID, 0, 10);
	other = opened(OTHER_ID, 0, false);
	assert_ok(resumable_write(other, large_from(10, LARGE), &why));
	assert_ok(resumable_sync(other, &why));
	resumable_close(other);
	p = opened(ID, 10, false);
	assert_err(resumable_append(p, OTHER_ID, LARGE - 11, &why),
		   ERR_CONFLICT);
	assert_int_equal(resumable_at(p), 10);
	assert_ok(resumable_append(p, OTHER_ID, LARGE - 10, &why));
	assert_ok(resumable_sync(p, &why));
	assert_err(resumable_append(p, "0190b3a2-0000-7000-8000-000000000000",
				    0, &why),
		   ERR_NOT_FOUND);
	resumable_close(p);
	assert_file("incoming/" ID, large_from(0, LARGE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_new_one_has_no_bytes_and_is_there_once),
		STORE_TEST(only_owner_and_group_may_look),
		STORE_TEST(what_is_gathered_counts_when_it_is_pushed),
		STORE_TEST(a_full_gather_counts_at_once),
		STORE_TEST(it_goes_on_where_it_is_and_nowhere_else),
		STORE_TEST(what_is_not_there_cannot_be_gone_on_with),
		STORE_TEST(a_short_write_goes_on),
		STORE_TEST(nothing_stays_open),
		STORE_TEST(
			an_older_writer_is_refused_and_not_a_byte_of_it_lands),
		STORE_TEST(an_older_writer_keeps_nothing_for_the_newer),
		STORE_TEST(threads_that_take_over_never_mix_their_bytes),
		STORE_TEST(nor_do_processes),
		STORE_TEST(a_removed_one_takes_no_more),
		STORE_TEST(who_waited_while_it_was_removed_does_not_get_it),
		STORE_TEST(tentative_bytes_count_together_or_not_at_all),
		STORE_TEST(
			who_takes_over_from_a_tentative_one_cuts_its_bytes_off),
		STORE_TEST(what_counted_before_a_tentative_one_counts_after_it),
		STORE_TEST(
			what_was_written_counts_also_when_the_process_is_killed),
		STORE_TEST(after_a_loss_of_power_what_was_kept_counts),
		STORE_TEST(
			where_the_boot_has_no_name_only_what_was_kept_is_sure),
		STORE_TEST(
			tentative_bytes_do_not_count_when_the_process_is_killed),
		STORE_TEST(to_keep_is_to_make_bytes_safe_and_then_the_mark),
		STORE_TEST(now_and_then_it_is_kept_by_itself),
		STORE_TEST(a_mark_that_was_lost_says_that_nothing_is_kept),
		STORE_TEST(a_failure_at_any_step_loses_nothing_that_counted),
		STORE_TEST(nor_does_a_kill_before_any_step),
		STORE_TEST(what_cannot_be_created_leaves_nothing),
		STORE_TEST(what_another_holds_is_appended_if_it_is_all_there),
	};

	return RUN(tests);
}
