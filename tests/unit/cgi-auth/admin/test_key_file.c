#include "tests/unit/unit.h"

#include "cgi-auth/admin/key_file.h"
#include "common/codec/config.h"

#include <dirent.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECRET_A "l5TkSO5ynbzLvS-X5rCVA5V-UACSg8c6skyuiFgcK3s"
#define SECRET_B "upTNUHsTFNcOyubeWKFzVbOjF5zUBk6uafhbwmjBdpU"

static char folder[64], path[96];

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/gatehouse-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/keyring", folder);
	return 0;
}

/* Fails also if the folder has any other file */
static int tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

static void put(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fputs(text, f) < 0, 0);
	assert_int_equal(fclose(f), 0);
}

static struct keyring get(void)
{
	struct keyring ring;
	struct errmsg why;
	char *text;
	size_t len;

	assert_ok(config_read_file(path, &text, &len, &why));
	assert_ok(keyring_from_text((struct span) { text, len }, &ring, &why));
	free(text);
	return ring;
}

static void assert_text(const char *want)
{
	struct errmsg why;
	char *text;
	size_t len;

	assert_ok(config_read_file(path, &text, &len, &why));
	assert_string_equal(text, want);
	free(text);
}

static void check_text(const char *before, const char *after, int kept,
		       int dropped)
{
	struct key_change c;
	struct buf out;

	buf_init(&out, 4096);
	key_text_add(span_of(before), SPAN("NEW"), 1000, 2000, &out, &c);
	assert_ok(buf_error(&out));
	assert_span_str(buf_span(&out), after);
	assert_int_equal(c.kept, kept);
	assert_int_equal(c.dropped, dropped);
	buf_release(&out);
}

static void a_new_key_ends_the_signing_key_and_drops_retired_keys(void **state)
{
	(void)state;
	check_text("", "NEW\n", 0, 0);
	check_text("a 1 - x\n", "a 1 2000 x\nNEW\n", 1, 0);
	check_text("a 1 - x", "a 1 2000 x\nNEW\n", 1, 0);
	check_text("a 1 1000 x\nb 2 1001 y\nc 3 - z\n",
		   "b 2 1001 y\nc 3 2000 z\nNEW\n", 2, 1);
	check_text("# note - it\n\na 1 - x\n",
		   "# note - it\n\na 1 2000 x\nNEW\n", 1, 0);
}

static void the_first_key_creates_a_file_that_only_its_owner_reads(void **state)
{
	struct key_change c;
	struct keyring ring;
	struct errmsg why;
	struct stat s;

	(void)state;
	assert_ok(key_file_add(path, KEY_FIRST, 1000, 900, &c, &why));
	assert_int_equal(stat(path, &s), 0);
	assert_int_equal(s.st_mode & 07777, 0600);
	ring = get();
	assert_int_equal(ring.count, 1);
	assert_string_equal(keyring_signer(&ring)->kid, c.kid);
	assert_int_equal(keyring_signer(&ring)->created_at, 1000);
	keyring_release(&ring);
}

static void a_keyring_that_signs_refuses_a_first_key(void **state)
{
	struct key_change c;
	struct errmsg why;

	(void)state;
	put("a 1 - " SECRET_A "\n");
	assert_err(key_file_add(path, KEY_FIRST, 1000, 900, &c, &why),
		   ERR_CONFLICT);
	assert_contains(why.text, "auth-admin key rotate");
	assert_text("a 1 - " SECRET_A "\n");
}

static void a_keyring_without_a_signing_key_accepts_a_first_key(void **state)
{
	struct key_change c;
	struct keyring ring;
	struct errmsg why;

	(void)state;
	put("# ours\na 1 5000 " SECRET_A "\n");
	assert_ok(key_file_add(path, KEY_FIRST, 1000, 900, &c, &why));
	ring = get();
	assert_int_equal(ring.count, 2);
	keyring_release(&ring);
}

static void a_rotated_key_verifies_until_its_tokens_expire(void **state)
{
	struct key_change c;
	struct keyring ring;
	struct errmsg why;

	(void)state;
	put("a 1 - " SECRET_A "\n");
	assert_ok(key_file_add(path, KEY_NEXT, 1000, 900, &c, &why));
	ring = get();
	assert_int_equal(ring.count, 2);
	assert_string_equal(ring.keys[0].kid, "a");
	assert_int_equal(ring.keys[0].retires_at, 1000 + 900 + KEY_GRACE);
	assert_int_equal(c.retires_at, 1000 + 900 + KEY_GRACE);
	assert_string_equal(keyring_signer(&ring)->kid, c.kid);
	keyring_release(&ring);
}

static void a_rotation_needs_a_signing_key(void **state)
{
	struct key_change c;
	struct errmsg why;

	(void)state;
	assert_err(key_file_add(path, KEY_NEXT, 1000, 900, &c, &why),
		   ERR_NOT_FOUND);
	assert_int_equal(access(path, F_OK), -1);
	put("a 1 5000 " SECRET_A "\n");
	assert_err(key_file_add(path, KEY_NEXT, 1000, 900, &c, &why),
		   ERR_NOT_FOUND);
	assert_contains(why.text, "auth-admin key new");
}

static void a_file_that_is_no_keyring_stays_unchanged(void **state)
{
	struct key_change c;
	struct errmsg why;

	(void)state;
	put("MYSQL_USER=me\n");
	assert_err(key_file_add(path, KEY_FIRST, 1000, 900, &c, &why),
		   ERR_CONFIG);
	assert_text("MYSQL_USER=me\n");
	put("a 1 - " SECRET_A "\na 2 - " SECRET_B "\n");
	assert_err(key_file_add(path, KEY_NEXT, 1000, 900, &c, &why),
		   ERR_CONFIG);
	assert_text("a 1 - " SECRET_A "\na 2 - " SECRET_B "\n");
}

static void mode_and_place_of_the_file_are_kept(void **state)
{
	char link[128];
	struct key_change c;
	struct errmsg why;
	struct stat s;

	(void)state;
	(void)snprintf(link, sizeof(link), "%s/link", folder);
	put("a 1 - " SECRET_A "\n");
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(symlink("keyring", link), 0);
	assert_ok(key_file_add(link, KEY_NEXT, 1000, 900, &c, &why));
	assert_int_equal(lstat(link, &s), 0);
	assert_true(S_ISLNK(s.st_mode));
	assert_int_equal(stat(path, &s), 0);
	assert_int_equal(s.st_mode & 07777, 0640);
	assert_int_equal(unlink(link), 0);
}

static void a_file_behind_several_links_is_replaced_not_a_link(void **state)
{
	char one[96], two[96];
	struct key_change c;
	struct keyring ring;
	struct errmsg why;
	struct stat s;

	(void)state;
	(void)snprintf(one, sizeof(one), "%s/one", folder);
	(void)snprintf(two, sizeof(two), "%s/two", folder);
	put("a 1 - " SECRET_A "\n");
	assert_int_equal(symlink(path, one), 0);
	assert_int_equal(symlink("./one", two), 0);
	assert_ok(key_file_add(two, KEY_NEXT, 1000, 900, &c, &why));
	for (const char *link = one; link != NULL;
	     link = link == one ? two : NULL) {
		assert_int_equal(lstat(link, &s), 0);
		assert_true(S_ISLNK(s.st_mode));
		assert_int_equal(unlink(link), 0);
	}
	ring = get();
	assert_int_equal(ring.count, 2);
	keyring_release(&ring);
}

static void links_without_a_file_are_refused_and_left_alone(void **state)
{
	char link[128], loop[128];
	struct key_change c;
	struct errmsg why;
	struct stat s;

	(void)state;
	(void)snprintf(link, sizeof(link), "%s/link", folder);
	(void)snprintf(loop, sizeof(loop), "%s/loop", folder);
	assert_int_equal(symlink("nothing", link), 0);
	assert_int_equal(symlink("loop", loop), 0);
	assert_err(key_file_add(link, KEY_FIRST, 1000, 900, &c, &why), ERR_IO);
	assert_contains(why.text, "make an empty file there");
	assert_err(key_file_add(loop, KEY_FIRST, 1000, 900, &c, &why), ERR_IO);
	assert_contains(why.text, "symbolic links");
	assert_int_equal(lstat(link, &s), 0);
	assert_true(S_ISLNK(s.st_mode));
	assert_int_equal(unlink(link), 0);
	assert_int_equal(unlink(loop), 0);
}

static void an_empty_file_behind_a_link_gets_the_first_key(void **state)
{
	char link[128];
	struct key_change c;
	struct keyring ring;
	struct errmsg why;

	(void)state;
	(void)snprintf(link, sizeof(link), "%s/link", folder);
	put("");
	assert_int_equal(symlink("keyring", link), 0);
	assert_ok(key_file_add(link, KEY_FIRST, 1000, 900, &c, &why));
	ring = get();
	assert_int_equal(ring.count, 1);
	keyring_release(&ring);
	assert_int_equal(unlink(link), 0);
}

static void a_full_keyring_waits_for_the_first_to_retire(void **state)
{
	struct key_change c;
	struct errmsg why;

	(void)state;
	assert_ok(key_file_add(path, KEY_FIRST, 1000, 900, &c, &why));
	for (int i = 1; i < KEYRING_MAX; i++)
		assert_ok(key_file_add(path, KEY_NEXT, 1000, 900, &c, &why));
	assert_err(key_file_add(path, KEY_NEXT, 1000, 900, &c, &why),
		   ERR_CONFLICT);
	assert_err(key_file_add(path, KEY_NEXT, 1959, 900, &c, &why),
		   ERR_CONFLICT);
	assert_ok(key_file_add(path, KEY_NEXT, 1960, 900, &c, &why));
	assert_int_equal(c.dropped, KEYRING_MAX - 1);
}

static void rotations_at_once_each_add_a_key(void **state)
{
	struct key_change c;
	struct keyring ring;
	struct errmsg why;
	int status;

	(void)state;
	assert_ok(key_file_add(path, KEY_FIRST, 1000, 900, &c, &why));
	for (int i = 0; i < 6; i++)
		if (fork() == 0)
			_Exit(key_file_add(path, KEY_NEXT, 1000, 900, &c,
					   &why) != ERR_OK);
	for (int i = 0; i < 6; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	ring = get();
	assert_int_equal(ring.count, 7);
	keyring_release(&ring);
}

static void a_missing_folder_is_reported(void **state)
{
	struct key_change c;
	struct errmsg why;

	(void)state;
	assert_err(key_file_add("/nonexistent/keyring", KEY_FIRST, 1000, 900,
				&c, &why),
		   ERR_IO);
	assert_contains(why.text, "/nonexistent");
}

#define FIXTURE_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_key_ends_the_signing_key_and_drops_retired_keys),
		FIXTURE_TEST(
			the_first_key_creates_a_file_that_only_its_owner_reads),
		FIXTURE_TEST(a_keyring_that_signs_refuses_a_first_key),
		FIXTURE_TEST(
			a_keyring_without_a_signing_key_accepts_a_first_key),
		FIXTURE_TEST(a_rotated_key_verifies_until_its_tokens_expire),
		FIXTURE_TEST(a_rotation_needs_a_signing_key),
		FIXTURE_TEST(a_file_that_is_no_keyring_stays_unchanged),
		FIXTURE_TEST(mode_and_place_of_the_file_are_kept),
		FIXTURE_TEST(
			a_file_behind_several_links_is_replaced_not_a_link),
		FIXTURE_TEST(links_without_a_file_are_refused_and_left_alone),
		FIXTURE_TEST(an_empty_file_behind_a_link_gets_the_first_key),
		FIXTURE_TEST(a_full_keyring_waits_for_the_first_to_retire),
		FIXTURE_TEST(rotations_at_once_each_add_a_key),
		TEST(a_missing_folder_is_reported),
	};

	return sodium_init() < 0 || RUN(tests);
}
