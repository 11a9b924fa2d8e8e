#include "common/token/token_memory.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

static struct token_memory *m;

static int set_up(void **state)
{
	(void)state;
	m = token_memory_new();
	return m != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	token_memory_free(m);
	return 0;
}

static struct token_name name_of(const char *token)
{
	struct token_name n;

	token_memory_name(m, span_of(token), &n);
	return n;
}

static void keep(const char *token, uint64_t ring, int64_t until, uint64_t user)
{
	const struct claims c = { .user_id = user };
	struct token_name n = name_of(token);

	token_memory_keep(m, &n, ring, until, &c);
}

/* The user of the claims that are found, or 0 */
static uint64_t found(const char *token, uint64_t ring, int64_t now)
{
	struct claims c = { .user_id = 0 };
	struct token_name n = name_of(token);
	bool is = token_memory_find(m, &n, ring, now, &c);

	assert_true(is == (c.user_id != 0));
	return c.user_id;
}

static void a_token_is_found_by_all_of_its_bytes(void **state)
{
	(void)state;
	assert_int_equal(found("a.b.c", 1, 10), 0);
	keep("a.b.c", 1, 100, 42);
	assert_int_equal(found("a.b.c", 1, 10), 42);
	assert_int_equal(found("a.b.d", 1, 10), 0);
	assert_int_equal(found("a.b.", 1, 10), 0);
	assert_int_equal(found("a.b.cc", 1, 10), 0);
	assert_int_equal(found("", 1, 10), 0);
}

static void a_token_is_not_found_in_the_second_of_its_end(void **state)
{
	(void)state;
	keep("a", 1, 100, 42);
	assert_int_equal(found("a", 1, 99), 42);
	assert_int_equal(found("a", 1, 100), 0);
}

static void a_token_is_not_found_with_other_keys(void **state)
{
	(void)state;
	keep("a", 1, 100, 42);
	assert_int_equal(found("a", 2, 10), 0);
	keep("a", 2, 100, 42);
	assert_int_equal(found("a", 2, 10), 42);
	assert_int_equal(found("a", 1, 10), 0);
}

static void each_process_names_a_token_differently(void **state)
{
	struct token_memory *other = token_memory_new();
	struct token_name a = name_of("a"), b;

	(void)state;
	assert_non_null(other);
	token_memory_name(other, SPAN("a"), &b);
	assert_memory_not_equal(a.bytes, b.bytes, sizeof(a.bytes));
	token_memory_free(other);
}

static void the_memory_is_bounded_and_keeps_what_is_used(void **state)
{
	size_t kept = 0;
	char token[32];

	(void)state;
	for (uint64_t i = 1; i <= 4 * TOKEN_MEMORY_MAX; i++) {
		(void)snprintf(token, sizeof(token), "%llu",
			       (unsigned long long)i);
		keep(token, 1, 100, i);
		if (i > 1)
			assert_int_equal(found("1", 1, 10), 1);
	}
	for (uint64_t i = 1; i <= 4 * TOKEN_MEMORY_MAX; i++) {
		(void)snprintf(token, sizeof(token), "%llu",
			       (unsigned long long)i);
		kept += found(token, 1, 10) == i;
	}
	assert_true(kept <= TOKEN_MEMORY_MAX);
	assert_true(kept > TOKEN_MEMORY_MAX / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_token_is_found_by_all_of_its_bytes, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_token_is_not_found_in_the_second_of_its_end, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_token_is_not_found_with_other_keys, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			each_process_names_a_token_differently, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			the_memory_is_bounded_and_keeps_what_is_used, set_up,
			tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
