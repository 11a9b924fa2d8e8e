#include "common/token/keyring_file.h"
#include "tests/unit/key_files.h"

#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

enum { NOW = 5000, THREADS = 8, ROTATIONS = 100 };

static struct key_file file;
static struct keyring_file *keys;
static struct errmsg why;

/* The name of the key that signs at `now` */
static const char *signer(int64_t now)
{
	static char kid[KID_MAX + 1];
	const struct keyring *ring = keyring_file_take(keys, now);

	memcpy(kid, keyring_signer(ring)->kid, sizeof(kid));
	keyring_file_give(keys, ring);
	return kid;
}

static int set_up(void **state)
{
	(void)state;
	key_file_make(&file, KEY_A);
	assert_ok(keyring_file_open(file.path, &keys, &why));
	why.text[0] = '\0';
	(void)signer(NOW); /* the check of this second */
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	keyring_file_close(keys);
	key_file_remove(&file);
	return 0;
}

/* Whether keyring_file_look() finds other keys than the current ones */
static bool keys_changed(void)
{
	const struct keyring *ring = keyring_file_take(keys, NOW);
	bool others = keyring_file_look(keys, ring);

	keyring_file_give(keys, ring);
	return others;
}

/* --- opening ------------------------------------------------------------- */

static void the_last_key_of_a_file_signs(void **state)
{
	(void)state;
	assert_string_equal(signer(NOW), "key-a");
	assert_false(keyring_file_fault(keys, &why));
}

static void a_file_that_is_not_a_keyring_does_not_open(void **state)
{
	struct keyring_file *none = NULL;

	(void)state;
	assert_err(keyring_file_open("/nowhere/keyring", &none, &why),
		   ERR_CONFIG);
	assert_contains(why.text, "/nowhere/keyring");
	assert_err(keyring_file_open(file.dir, &none, &why), ERR_CONFIG);
	key_file_replace(&file, KEY_B "nonsense\n");
	assert_err(keyring_file_open(file.path, &none, &why), ERR_CONFIG);
	assert_contains(why.text, file.path);
	assert_contains(why.text, "line 2");
	key_file_replace(&file, KEY_A_RETIRES);
	assert_err(keyring_file_open(file.path, &none, &why), ERR_CONFIG);
	assert_null(none);
	keyring_file_close(NULL);
}

static void a_keyring_of_one_secret_never_changes(void **state)
{
	struct keyring_file *fixed = NULL;
	const struct keyring *ring, *later;

	(void)state;
	assert_err(keyring_file_fixed(SPAN("short"), &fixed, &why), ERR_CONFIG);
	assert_contains(why.text, "5 bytes");
	assert_ok(keyring_file_fixed(SPAN("Zt9!kQ2#vL7@xN4$bR8%mW1^pS6&cF3*"),
				     &fixed, &why));
	ring = keyring_file_take(fixed, NOW);
	assert_int_equal(ring->count, 1);
	assert_false(keyring_file_look(fixed, ring));
	later = keyring_file_take(fixed, NOW + 1000000);
	assert_ptr_equal(ring, later);
	assert_false(keyring_file_fault(fixed, &why));
	keyring_file_give(fixed, ring);
	keyring_file_give(fixed, later);
	keyring_file_close(fixed);
}

/* --- changes ------------------------------------------------------------- */

static void a_change_is_seen_in_the_next_second(void **state)
{
	(void)state;
	assert_string_equal(signer(NOW), "key-a");
	key_file_replace(&file, KEY_A_RETIRES KEY_B);
	assert_string_equal(signer(NOW), "key-a");
	assert_string_equal(signer(NOW + 1), "key-b");
	/* and another change, with a clock that was set back */
	key_file_replace(&file, KEY_A_RETIRES KEY_C);
	assert_string_equal(signer(NOW + 1), "key-b");
	assert_string_equal(signer(NOW - 100), "key-c");
}

static void keyring_file_look_finds_a_change_at_once(void **state)
{
	(void)state;
	assert_false(keys_changed());
	key_file_replace(&file, KEY_A_RETIRES KEY_B);
	assert_true(keys_changed());
	assert_string_equal(signer(NOW), "key-b");
	assert_false(keys_changed());
}

static void every_holder_of_the_old_keys_sees_the_change(void **state)
{
	const struct keyring *mine = keyring_file_take(keys, NOW);
	const struct keyring *theirs = keyring_file_take(keys, NOW);

	(void)state;
	key_file_replace(&file, KEY_A_RETIRES KEY_B);
	/* the first holder finds the change, and so must the second */
	assert_true(keyring_file_look(keys, theirs));
	assert_true(keyring_file_look(keys, mine));
	keyring_file_give(keys, theirs);
	keyring_file_give(keys, mine);
	assert_false(keys_changed());
}

static void a_borrowed_keyring_does_not_change(void **state)
{
	const struct keyring *old = keyring_file_take(keys, NOW);
	unsigned char mac[SHA256_LEN], again[SHA256_LEN];

	(void)state;
	assert_ok(hmac_sha256(keyring_signer(old)->hmac, SPAN("x"), mac));
	for (int i = 0; i < 10; i++) {
		key_file_replace(&file, i % 2 == 0 ? KEY_B : KEY_C);
		assert_true(keys_changed());
	}
	assert_string_equal(keyring_signer(old)->kid, "key-a");
	assert_ok(hmac_sha256(keyring_signer(old)->hmac, SPAN("x"), again));
	assert_memory_equal(mac, again, SHA256_LEN);
	keyring_file_give(keys, old);
	assert_string_equal(signer(NOW), "key-c");
}

static void a_file_that_is_written_in_place_is_read_again(void **state)
{
	const struct timespec later[2] = { { 4000000000, 0 },
					   { 4000000000, 0 } };

	(void)state;
	key_file_put(file.path, KEY_B);
	/* of the same length, and within one tick of the clock */
	assert_int_equal(utimensat(AT_FDCWD, file.path, later, 0), 0);
	assert_true(keys_changed());
	assert_string_equal(signer(NOW), "key-b");
}

static void an_unchanged_file_is_not_read_again(void **state)
{
	const struct keyring *before = keyring_file_take(keys, NOW), *after;

	(void)state;
	after = keyring_file_take(keys, NOW + 100);
	assert_ptr_equal(before, after);
	keyring_file_give(keys, before);
	keyring_file_give(keys, after);
}

/* --- faults -------------------------------------------------------------- */

static void a_broken_file_keeps_the_old_keys_and_is_reported_once(void **state)
{
	(void)state;
	key_file_replace(&file, KEY_A "nonsense\n");
	assert_false(keys_changed());
	assert_string_equal(signer(NOW), "key-a");
	assert_true(keyring_file_fault(keys, &why));
	assert_contains(why.text, file.path);
	assert_contains(why.text, "line 2");
	assert_false(keyring_file_fault(keys, &why));
	for (int i = 1; i < 5; i++)
		assert_string_equal(signer(NOW + i), "key-a");
	assert_false(keyring_file_fault(keys, &why));
	/* another fault is reported again */
	key_file_replace(&file, "");
	assert_false(keys_changed());
	assert_true(keyring_file_fault(keys, &why));
	assert_contains(why.text, "no signing key");
	assert_false(keyring_file_fault(keys, &why));
	/* a mended file is used again */
	key_file_replace(&file, KEY_A_RETIRES KEY_B);
	assert_string_equal(signer(NOW + 10), "key-b");
	assert_false(keyring_file_fault(keys, &why));
	key_file_replace(&file, "");
	assert_false(keys_changed());
	assert_true(keyring_file_fault(keys, &why));
}

static void a_reported_fault_has_no_secret(void **state)
{
	(void)state;
	key_file_replace(&file, "key-b 2000 x ICEiIyQlJicoKSorLC0uLzAxMjM\n");
	assert_false(keys_changed());
	assert_true(keyring_file_fault(keys, &why));
	assert_lacks(why.text, "ICEi");
}

static void a_removed_file_keeps_the_old_keys_and_is_reported_once(void **state)
{
	(void)state;
	assert_int_equal(unlink(file.path), 0);
	assert_false(keys_changed());
	assert_string_equal(signer(NOW + 1), "key-a");
	assert_true(keyring_file_fault(keys, &why));
	assert_contains(why.text, file.path);
	assert_string_equal(signer(NOW + 2), "key-a");
	assert_false(keyring_file_fault(keys, &why));
	key_file_replace(&file, KEY_B);
	assert_string_equal(signer(NOW + 3), "key-b");
}

static void a_file_that_could_not_be_read_is_tried_again(void **state)
{
	struct rlimit was, none;
	int spare[1024], n = 0;

	(void)state;
	key_file_replace(&file, KEY_A_RETIRES KEY_B);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = was;
	none.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	while (n < 1024 && (spare[n] = dup(0)) >= 0)
		n++;
	assert_false(keys_changed());
	assert_string_equal(signer(NOW + 1), "key-a");
	while (n > 0)
		(void)close(spare[--n]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_true(keyring_file_fault(keys, &why));
	/* the same file can be read now */
	assert_string_equal(signer(NOW + 2), "key-b");
}

/* --- many threads -------------------------------------------------------- */

static atomic_bool done;
static atomic_int taken;

static void *use(void *arg)
{
	unsigned char mac[SHA256_LEN];
	int64_t now = NOW;

	(void)arg;
	while (!atomic_load(&done)) {
		const struct keyring *one = keyring_file_take(keys, now++);
		const struct keyring *two = keyring_file_take(keys, now);
		struct errmsg cause;

		if (hmac_sha256(keyring_signer(one)->hmac, SPAN("x"), mac) !=
			    ERR_OK ||
		    hmac_sha256(keyring_signer(two)->hmac, SPAN("x"), mac) !=
			    ERR_OK)
			abort();
		keyring_file_give(keys, two);
		(void)keyring_file_look(keys, one);
		(void)keyring_file_fault(keys, &cause);
		keyring_file_give(keys, one);
		atomic_fetch_add(&taken, 1);
	}
	return NULL;
}

static void many_threads_can_use_a_keyring_that_changes(void **state)
{
	static const char *const texts[] = { KEY_A_RETIRES KEY_B, "broken\n",
					     KEY_B KEY_C, KEY_A };
	pthread_t threads[THREADS];

	(void)state;
	atomic_store(&done, false);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use, NULL),
				 0);
	for (int i = 0; i < ROTATIONS; i++) {
		int seen = atomic_load(&taken);

		key_file_replace(&file, texts[i % (int)COUNT(texts)]);
		while (atomic_load(&taken) < seen + THREADS)
			(void)nanosleep(&(struct timespec) { 0, 100000 }, NULL);
	}
	atomic_store(&done, true);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_string_equal(signer(0), "key-a");
}

#define FIXTURE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(the_last_key_of_a_file_signs),
		FIXTURE_TEST(a_file_that_is_not_a_keyring_does_not_open),
		FIXTURE_TEST(a_keyring_of_one_secret_never_changes),
		FIXTURE_TEST(a_change_is_seen_in_the_next_second),
		FIXTURE_TEST(keyring_file_look_finds_a_change_at_once),
		FIXTURE_TEST(every_holder_of_the_old_keys_sees_the_change),
		FIXTURE_TEST(a_borrowed_keyring_does_not_change),
		FIXTURE_TEST(a_file_that_is_written_in_place_is_read_again),
		FIXTURE_TEST(an_unchanged_file_is_not_read_again),
		FIXTURE_TEST(
			a_broken_file_keeps_the_old_keys_and_is_reported_once),
		FIXTURE_TEST(a_reported_fault_has_no_secret),
		FIXTURE_TEST(
			a_removed_file_keeps_the_old_keys_and_is_reported_once),
		FIXTURE_TEST(a_file_that_could_not_be_read_is_tried_again),
		FIXTURE_TEST(many_threads_can_use_a_keyring_that_changes),
	};

	return sodium_init() < 0 ? 1 : RUN(tests);
}
