#include "cgi-gateway/store/hashing_writer.h"
#include "tests/unit/cgi-gateway/store/store_fixture.h"

static struct hashing_writer writer;
static unsigned char sum[SHA256_LEN];

static int set_up(void **state)
{
	writer = (struct hashing_writer) { 0 };
	memset(sum, 0, sizeof(sum));
	return open_store(state);
}

static int tear_down(void **state)
{
	hashing_writer_abort(&writer);
	return close_store(state);
}

static void open_writer(int64_t max)
{
	assert_ok(hashing_writer_open(&writer, store, ID, max, &why));
}

static bool is_stored(void)
{
	return store_exists(store, ID, &why) == ERR_OK;
}

static void assert_sum_of(struct span bytes)
{
	unsigned char want[SHA256_LEN];

	sha256_of(bytes, want);
	assert_memory_equal(sum, want, SHA256_LEN);
}

static void a_file_is_counted_hashed_and_stored(void **state)
{
	(void)state;
	open_writer(100);
	assert_int_equal(writer.size, 0);
	assert_ok(hashing_writer_write(&writer, SPAN("hello "), &why));
	assert_ok(hashing_writer_write(&writer, SPAN(""), &why));
	assert_ok(hashing_writer_write(&writer, SPAN("world"), &why));
	assert_false(is_stored());
	assert_ok(hashing_writer_commit(&writer, NULL, sum, &why));
	assert_object(ID, SPAN("hello world"), 64);
	assert_int_equal(writer.size, 11);
	assert_sum_of(SPAN("hello world"));
	/* it is closed, so there is nothing left to abort */
	hashing_writer_abort(&writer);
	assert_true(is_stored());
}

static void a_file_may_be_empty(void **state)
{
	(void)state;
	open_writer(1);
	assert_ok(hashing_writer_commit(&writer, NULL, sum, &why));
	assert_int_equal(writer.size, 0);
	assert_sum_of(SPAN(""));
	assert_true(is_stored());
}

static void the_last_byte_of_the_limit_is_accepted(void **state)
{
	(void)state;
	open_writer(5);
	assert_ok(hashing_writer_write(&writer, SPAN("1234"), &why));
	assert_ok(hashing_writer_write(&writer, SPAN("5"), &why));
	assert_ok(hashing_writer_write(&writer, SPAN(""), &why));
	assert_ok(hashing_writer_commit(&writer, NULL, sum, &why));
	assert_int_equal(writer.size, 5);
	assert_true(is_stored());
}

static void the_first_byte_beyond_the_limit_is_refused(void **state)
{
	(void)state;
	open_writer(5);
	assert_ok(hashing_writer_write(&writer, SPAN("12345"), &why));
	assert_err(hashing_writer_write(&writer, SPAN("6"), &why),
		   ERR_TOO_LARGE);
	hashing_writer_abort(&writer);
	assert_int_equal(items(), 0);
}

static void a_piece_that_passes_the_limit_is_refused_whole(void **state)
{
	(void)state;
	open_writer(5);
	assert_err(hashing_writer_write(&writer, SPAN("123456"), &why),
		   ERR_TOO_LARGE);
	assert_int_equal(writer.size, 0);
}

static void a_limit_may_be_very_large(void **state)
{
	(void)state;
	open_writer(INT64_MAX / 2);
	assert_ok(hashing_writer_write(&writer, SPAN("x"), &why));
	assert_ok(hashing_writer_commit(&writer, NULL, sum, &why));
	assert_int_equal(writer.size, 1);
}

static void the_expected_digest_is_accepted(void **state)
{
	unsigned char expected[SHA256_LEN];

	(void)state;
	sha256_of(SPAN("hello"), expected);
	open_writer(100);
	assert_ok(hashing_writer_write(&writer, SPAN("hello"), &why));
	assert_ok(hashing_writer_commit(&writer, expected, sum, &why));
	assert_true(is_stored());
	assert_sum_of(SPAN("hello"));
}

static void another_digest_than_expected_stores_nothing(void **state)
{
	static const unsigned char untouched[SHA256_LEN];
	unsigned char expected[SHA256_LEN];

	(void)state;
	for (int i = 0; i < SHA256_LEN; i++) {
		sha256_of(SPAN("hello"), expected);
		expected[i] ^= 1;
		open_writer(100);
		assert_ok(hashing_writer_write(&writer, SPAN("hello"), &why));
		assert_err(hashing_writer_commit(&writer, expected, sum, &why),
			   ERR_DIGEST);
		assert_memory_equal(sum, untouched, SHA256_LEN);
		assert_false(is_stored());
		hashing_writer_abort(&writer);
		assert_int_equal(items(), 0);
	}
}

static void a_writer_without_an_id_of_its_own_does_not_abort_the_first(
	void **state)
{
	static const char large[200000] = "";
	struct span all = { large, sizeof(large) };
	struct hashing_writer first;
	enum err e;

	(void)state;
	open_writer(sizeof(large));
	assert_ok(hashing_writer_write(&writer, all, &why));
	first = writer;
	e = hashing_writer_open(&writer, store, ID, sizeof(large), &why);
	if (e == ERR_OK)
		e = hashing_writer_write(&writer, all, &why);
	assert_err(e, ERR_IO);
	hashing_writer_abort(&writer);
	writer = first;
	assert_ok(hashing_writer_commit(&writer, NULL, sum, &why));
	assert_true(is_stored());
}

static void a_writer_may_be_aborted_twice(void **state)
{
	(void)state;
	open_writer(100);
	hashing_writer_abort(&writer);
	hashing_writer_abort(&writer);
	assert_int_equal(items(), 0);
}

int main(void)
{
	static const struct store_case cases[] = {
		STORE_CASE(a_file_is_counted_hashed_and_stored),
		STORE_CASE(a_file_may_be_empty),
		STORE_CASE(the_last_byte_of_the_limit_is_accepted),
		STORE_CASE(the_first_byte_beyond_the_limit_is_refused),
		STORE_CASE(a_piece_that_passes_the_limit_is_refused_whole),
		STORE_CASE(a_limit_may_be_very_large),
		STORE_CASE(the_expected_digest_is_accepted),
		STORE_CASE(another_digest_than_expected_stores_nothing),
		STORE_CASE(
			a_writer_without_an_id_of_its_own_does_not_abort_the_first),
		STORE_CASE(a_writer_may_be_aborted_twice),
	};

	return run_cases(cases, COUNT(cases), set_up, tear_down);
}
