#include "cgi-gateway/store/disk/store_disk.h"
#include "cgi-gateway/store/hashing_writer.h"
#include "tests/unit/cgi-gateway/folder.h"
#include "tests/unit/unit.h"

#define ID "0190b3a2-0000-7000-8000-0000000000ab"

static char dir[FOLDER_PATH_MAX];
static struct store *store;
static struct file file;
static struct hashing_writer intake;
static struct errmsg why;

static int set_up(void **state)
{
	(void)state;
	folder_make(dir);
	file = (struct file) { .id = ID, .size = -7 };
	intake = (struct hashing_writer) { 0 };
	return store_disk_open(dir, &store, &why) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	hashing_writer_abandon(&intake);
	store_close(store);
	folder_remove(dir);
	return 0;
}

static void begin(int64_t max)
{
	assert_ok(hashing_writer_begin(&intake, store, &file, max, &why));
}

static bool is_stored(void)
{
	char path[STORE_PATH_MAX];

	return store_path(store, ID, path) == ERR_OK;
}

static void assert_sum_of(struct span bytes)
{
	unsigned char want[SHA256_LEN];

	sha256_of(bytes, want);
	assert_memory_equal(file.sha256, want, SHA256_LEN);
}

static void a_file_is_counted_hashed_and_stored(void **state)
{
	(void)state;
	begin(100);
	assert_int_equal(file.size, 0);
	assert_ok(hashing_writer_add(&intake, SPAN("hello "), &why));
	assert_ok(hashing_writer_add(&intake, SPAN(""), &why));
	assert_ok(hashing_writer_add(&intake, SPAN("world"), &why));
	assert_false(is_stored());
	assert_ok(hashing_writer_finish(&intake, NULL, &why));
	assert_true(is_stored());
	assert_int_equal(file.size, 11);
	assert_sum_of(SPAN("hello world"));
	/* it is over: there is nothing left to abandon */
	hashing_writer_abandon(&intake);
	assert_true(is_stored());
}

static void a_file_may_be_empty(void **state)
{
	(void)state;
	begin(1);
	assert_ok(hashing_writer_finish(&intake, NULL, &why));
	assert_int_equal(file.size, 0);
	assert_sum_of(SPAN(""));
	assert_true(is_stored());
}

static void the_last_byte_of_the_limit_is_taken(void **state)
{
	(void)state;
	begin(5);
	assert_ok(hashing_writer_add(&intake, SPAN("1234"), &why));
	assert_ok(hashing_writer_add(&intake, SPAN("5"), &why));
	assert_ok(hashing_writer_add(&intake, SPAN(""), &why));
	assert_ok(hashing_writer_finish(&intake, NULL, &why));
	assert_int_equal(file.size, 5);
	assert_true(is_stored());
}

static void the_first_byte_beyond_the_limit_is_refused(void **state)
{
	(void)state;
	begin(5);
	assert_ok(hashing_writer_add(&intake, SPAN("12345"), &why));
	assert_err(hashing_writer_add(&intake, SPAN("6"), &why), ERR_TOO_LARGE);
	hashing_writer_abandon(&intake);
	assert_int_equal(folder_files(dir), 0);
}

static void a_piece_that_passes_the_limit_is_refused_whole(void **state)
{
	(void)state;
	begin(5);
	assert_err(hashing_writer_add(&intake, SPAN("123456"), &why),
		   ERR_TOO_LARGE);
	assert_int_equal(file.size, 0);
}

static void a_limit_may_be_as_large_as_it_likes(void **state)
{
	(void)state;
	begin(INT64_MAX / 2);
	assert_ok(hashing_writer_add(&intake, SPAN("x"), &why));
	assert_ok(hashing_writer_finish(&intake, NULL, &why));
	assert_int_equal(file.size, 1);
}

static void the_digest_that_was_announced_is_required(void **state)
{
	unsigned char sum[SHA256_LEN];

	(void)state;
	sha256_of(SPAN("hello"), sum);
	begin(100);
	assert_ok(hashing_writer_add(&intake, SPAN("hello"), &why));
	assert_ok(hashing_writer_finish(&intake, sum, &why));
	assert_true(is_stored());
}

static void another_digest_leaves_nothing(void **state)
{
	unsigned char sum[SHA256_LEN];

	(void)state;
	for (int i = 0; i < SHA256_LEN; i++) {
		sha256_of(SPAN("hello"), sum);
		sum[i] ^= 1;
		begin(100);
		assert_ok(hashing_writer_add(&intake, SPAN("hello"), &why));
		assert_err(hashing_writer_finish(&intake, sum, &why),
			   ERR_DIGEST);
		assert_false(is_stored());
		hashing_writer_abandon(&intake);
		assert_int_equal(folder_files(dir), 0);
	}
}

static void what_cannot_begin_has_nothing_under_way(void **state)
{
	struct hashing_writer first;

	(void)state;
	begin(100);
	first = intake;
	assert_err(hashing_writer_begin(&intake, store, &file, 100, &why),
		   ERR_IO);
	/* so this does not end the first one, which has the id */
	hashing_writer_abandon(&intake);
	intake = first;
	assert_ok(hashing_writer_add(&intake, SPAN("x"), &why));
	assert_ok(hashing_writer_finish(&intake, NULL, &why));
	assert_true(is_stored());
}

static void what_is_abandoned_twice_is_abandoned(void **state)
{
	(void)state;
	begin(100);
	hashing_writer_abandon(&intake);
	hashing_writer_abandon(&intake);
	assert_int_equal(folder_files(dir), 0);
}

#define INTAKE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		INTAKE(a_file_is_counted_hashed_and_stored),
		INTAKE(a_file_may_be_empty),
		INTAKE(the_last_byte_of_the_limit_is_taken),
		INTAKE(the_first_byte_beyond_the_limit_is_refused),
		INTAKE(a_piece_that_passes_the_limit_is_refused_whole),
		INTAKE(a_limit_may_be_as_large_as_it_likes),
		INTAKE(the_digest_that_was_announced_is_required),
		INTAKE(another_digest_leaves_nothing),
		INTAKE(what_cannot_begin_has_nothing_under_way),
		INTAKE(what_is_abandoned_twice_is_abandoned),
	};

	return RUN(tests);
}
