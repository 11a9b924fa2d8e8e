#include "tests/unit/unit.h"

#include <errno.h>

static void every_error_has_its_own_text(void **state)
{
	(void)state;
	for (int e = 0; e < ERR_COUNT; e++) {
		assert_non_null(err_text((enum err)e));
		assert_true(strlen(err_text((enum err)e)) > 0);
		for (int other = 0; other < e; other++)
			assert_string_not_equal(err_text((enum err)e),
						err_text((enum err)other));
	}
}

static void an_unknown_error_has_a_text(void **state)
{
	(void)state;
	assert_string_equal(err_text(ERR_COUNT), "unknown error");
	assert_string_equal(err_text((enum err) - 1), "unknown error");
}

static void err_set_returns_the_error(void **state)
{
	struct errmsg why = { "old" };

	(void)state;
	assert_err(err_set(&why, ERR_IO, "open %s: %d", "file", 7), ERR_IO);
	assert_string_equal(why.text, "open file: 7");
	assert_err(err_set(NULL, ERR_FULL, "no receiver"), ERR_FULL);
}

static void a_long_message_is_cut_and_terminated(void **state)
{
	char text[2 * sizeof(struct errmsg)];
	struct errmsg why;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_err(err_set(&why, ERR_IO, "%s", text), ERR_IO);
	assert_int_equal(strlen(why.text), sizeof(why.text) - 1);
}

static void an_errno_says_whether_to_try_again(void **state)
{
	static const struct {
		int number;
		enum err want;
		const char *hint;
	} cases[] = {
		{ ENOSPC, ERR_FULL, "" },
		{ EDQUOT, ERR_FULL, "" },
		{ EMFILE, ERR_OVERLOADED, "LimitNOFILE=" },
		{ ENFILE, ERR_OVERLOADED, "fs.file-max" },
		{ ENOMEM, ERR_OVERLOADED, "" },
		{ ENOBUFS, ERR_OVERLOADED, "" },
		{ EIO, ERR_IO, "" },
		{ EACCES, ERR_IO, "" },
		{ 0, ERR_IO, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_err(err_of_errno(cases[i].number), cases[i].want);
		assert_contains(err_hint_of_errno(cases[i].number),
				cases[i].hint);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_error_has_its_own_text),
		TEST(an_unknown_error_has_a_text),
		TEST(err_set_returns_the_error),
		TEST(a_long_message_is_cut_and_terminated),
		TEST(an_errno_says_whether_to_try_again),
	};

	return RUN(tests);
}
