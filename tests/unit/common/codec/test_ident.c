#include "common/codec/ident.h"
#include "tests/unit/unit.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

enum {
	THREADS = 4,
	EACH = 20000, /* more than the 2048 to 4096 of one millisecond */
};

static void an_id_is_a_uuid_of_version_7(void **state)
{
	char id[UUID_LEN + 1];

	(void)state;
	ident_uuid7(1700000000123, id);
	assert_int_equal(strlen(id), UUID_LEN);
	assert_true(ident_is_uuid(span_of(id)));
	/* 1700000000123 is 0x018bcfe5687b */
	assert_memory_equal(id, "018bcfe5-687b-7", 15);
	assert_non_null(strchr("89ab", id[19]));
}

static void ids_of_one_millisecond_sort_in_the_order_of_the_calls(void **state)
{
	char last[UUID_LEN + 1] = "", id[UUID_LEN + 1];

	(void)state;
	for (int i = 0; i < EACH; i++) {
		ident_uuid7(1700000001000, id);
		assert_true(strcmp(last, id) < 0);
		memcpy(last, id, sizeof(id));
	}
}

static void ids_keep_their_order_when_the_clock_is_set_back(void **state)
{
	char first[UUID_LEN + 1], second[UUID_LEN + 1], third[UUID_LEN + 1];

	(void)state;
	ident_uuid7(1800000000000, first);
	ident_uuid7(1700000000000, second);
	ident_uuid7(1800000001000, third);
	assert_true(strcmp(first, second) < 0);
	assert_true(strcmp(second, third) < 0);
}

static void *make_many(void *arg)
{
	char(*ids)[UUID_LEN + 1] = arg;

	for (int i = 0; i < EACH; i++)
		ident_uuid7(1900000000000, ids[i]);
	return NULL;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void ids_of_many_threads_differ(void **state)
{
	char(*ids)[UUID_LEN + 1] = malloc(sizeof(*ids) * THREADS * EACH);
	pthread_t threads[THREADS];

	(void)state;
	assert_non_null(ids);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, make_many,
						ids + i * EACH),
				 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	/* those of one thread are in order */
	for (size_t i = 1; i < THREADS * EACH; i++)
		if (i % EACH != 0)
			assert_true(strcmp(ids[i - 1], ids[i]) < 0);
	qsort(ids, THREADS * EACH, sizeof(*ids), by_text);
	for (size_t i = 1; i < THREADS * EACH; i++)
		assert_string_not_equal(ids[i - 1], ids[i]);
	free(ids);
}

static void the_random_bits_of_two_ids_differ(void **state)
{
	char a[UUID_LEN + 1], b[UUID_LEN + 1];

	(void)state;
	ident_uuid7(1, a);
	ident_uuid7(1, b);
	assert_string_not_equal(a + 20, b + 20);
}

static void a_random_id_has_22_characters_of_base64url(void **state)
{
	char a[IDENT_LEN + 1], b[IDENT_LEN + 1];

	(void)state;
	ident_random(a);
	ident_random(b);
	assert_int_equal(strlen(a), IDENT_LEN);
	assert_int_equal(strspn(a, "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"),
			 IDENT_LEN);
	assert_string_not_equal(a, b);
}

static void a_uuid_is_lower_case_hex_in_its_groups(void **state)
{
	static const char *const wrong[] = {
		"",
		"018bcfe5-687b-7abc-8def-0123456789a",
		"018bcfe5-687b-7abc-8def-0123456789abc",
		"018BCFE5-687B-7ABC-8DEF-0123456789AB",
		"018bcfe5-687b-7abc-8def-0123456789ag",
		"018bcfe50687b-7abc-8def-0123456789ab",
		"018bcfe5-687b-7abc-8def00123456789ab",
		"-18bcfe5-687b-7abc-8def-0123456789ab",
		"018bcfe5-687b-7abc-8def-0123456789/.",
		"../../../../../../../../etc/passwd..",
		"018bcfe5-687b-7abc-8def-0123456789\xc3\xa9",
	};

	(void)state;
	assert_true(
		ident_is_uuid(SPAN("018bcfe5-687b-7abc-8def-0123456789ab")));
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_false(ident_is_uuid(span_of(wrong[i])));
	assert_false(
		ident_is_uuid(SPAN("018bcfe5-687b-7abc-8def-0123456789a\0")));
}

static void a_sent_uuid_is_read_in_either_case(void **state)
{
	static const char *const wrong[] = {
		"",
		"018BCFE5-687B-7ABC-8DEF-0123456789A",
		"018BCFE5-687B-7ABC-8DEF-0123456789AG",
		"018BCFE5-687B-7ABC-8DEF-0123456789A@",
		"018BCFE5687B7ABC8DEF0123456789AB0000",
		"{18BCFE5-687B-7ABC-8DEF-0123456789A}",
	};
	char id[UUID_LEN + 1];

	(void)state;
	assert_span(ident_uuid_sent(
			    SPAN("018BCFE5-687b-7aBC-8DEF-0123456789AB"), id),
		    "018bcfe5-687b-7abc-8def-0123456789ab");
	assert_string_equal(id, "018bcfe5-687b-7abc-8def-0123456789ab");
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_span(ident_uuid_sent(span_of(wrong[i]), id), "");
}

static void a_random_id_is_recognized_by_its_form(void **state)
{
	static const char *const wrong[] = {
		"",
		"AAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAA\xc5",
		"AAAAAAAAAAAAAAAAAAAAA'",
		"name@example.com.local",
	};
	char id[IDENT_LEN + 1];

	(void)state;
	ident_random(id);
	assert_true(ident_is_random(span_of(id)));
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_false(ident_is_random(span_of(wrong[i])));
}

static void a_random_id_never_begins_with_a_dash(void **state)
{
	char id[IDENT_LEN + 1];

	(void)state;
	for (int i = 0; i < EACH; i++) {
		ident_random(id);
		assert_int_equal(strlen(id), IDENT_LEN);
		assert_true(id[0] != '-');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_sent_uuid_is_read_in_either_case),
		TEST(a_random_id_is_recognized_by_its_form),
		TEST(a_random_id_never_begins_with_a_dash),
		TEST(an_id_is_a_uuid_of_version_7),
		TEST(ids_of_one_millisecond_sort_in_the_order_of_the_calls),
		TEST(ids_keep_their_order_when_the_clock_is_set_back),
		TEST(ids_of_many_threads_differ),
		TEST(the_random_bits_of_two_ids_differ),
		TEST(a_random_id_has_22_characters_of_base64url),
		TEST(a_uuid_is_lower_case_hex_in_its_groups),
	};

	if (sodium_init() < 0)
		return 1;
	return RUN(tests);
}
