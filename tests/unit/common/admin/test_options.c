#include "common/admin/options.h"

#include "common/admin/failure.h"
#include "tests/unit/common/admin/capture.h"

static bool flag;
static const char *value, *argument;
static int64_t number, limited;
static struct capture c;

/* Read up to four words behind the command; a missing word is NULL. */
static int read_words(const char *what, const char *a, const char *b,
		      const char *third)
{
	const struct option_place options[] = {
		{ .name = "flag", .flag = &flag },
		{ .name = "value", .value = &value },
		{ .name = "number", .number = &number },
		{ .name = "limited", .number = &limited, .min = 1, .max = 9 },
		{ .name = NULL },
	};
	static char words[4][64];
	const char *const given[] = { "command", a, b, third };
	char *argv[5] = { NULL };
	int argc = 0, status;

	flag = false;
	value = argument = NULL;
	number = limited = -1;
	for (int i = 0; i < 4 && given[i] != NULL; i++) {
		(void)snprintf(words[i], sizeof(words[i]), "%s", given[i]);
		argv[argc++] = words[i];
	}
	admin_fail_begin("tool", "command");
	capture_begin(&c);
	status = options_read(argc, argv, options, what, &argument);
	capture_end(&c);
	assert_string_equal(c.out, "");
	return status;
}

static void options_and_the_argument_come_in_any_order(void **state)
{
	(void)state;
	assert_int_equal(read_words("X", "--flag", "x", "--number=7"), 0);
	assert_true(flag);
	assert_int_equal(number, 7);
	assert_string_equal(argument, "x");
	assert_int_equal(read_words("X", "x", "--value", "v"), 0);
	assert_string_equal(argument, "x");
	assert_string_equal(value, "v");
	assert_int_equal(read_words("X", "--", "--flag", NULL), 0);
	assert_string_equal(argument, "--flag");
	assert_false(flag);
	assert_int_equal(read_words(NULL, NULL, NULL, NULL), 0);
}

static void assert_usage(int status, const char *line)
{
	assert_int_equal(status, 64);
	assert_contains(c.err, line);
	assert_contains(c.err, "; see tool command --help\n");
}

static void a_wrong_line_is_a_usage_error_that_says_why(void **state)
{
	(void)state;
	assert_usage(read_words("X", NULL, NULL, NULL), "X is missing");
	assert_usage(read_words("X", "x", "y", NULL),
		     "\"y\" is one argument too many");
	assert_usage(read_words(NULL, "x", NULL, NULL),
		     "\"x\" is one argument too many");
	assert_usage(read_words(NULL, "--other", NULL, NULL),
		     "--other is not an option");
	assert_usage(read_words(NULL, "--value", NULL, NULL),
		     "--value needs a value");
	assert_usage(read_words(NULL, "--flag=x", NULL, NULL), "--flag=x");
	assert_usage(read_words(NULL, "--number", "1x", NULL),
		     "--number must be a whole number, not \"1x\"");
}

static void a_number_stays_within_its_range(void **state)
{
	(void)state;
	assert_int_equal(read_words(NULL, "--limited", "1", NULL), 0);
	assert_int_equal(read_words(NULL, "--limited", "9", NULL), 0);
	assert_int_equal(limited, 9);
	assert_usage(read_words(NULL, "--limited", "0", NULL),
		     "--limited must be a number from 1 to 9, not \"0\"");
	assert_usage(read_words(NULL, "--limited", "10", NULL), "1 to 9");
	assert_usage(read_words(NULL, "--number=-5", NULL, NULL), "\"-5\"");
	assert_int_equal(read_words(NULL, "--number=0", NULL, NULL), 0);
	assert_int_equal(number, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(options_and_the_argument_come_in_any_order),
		TEST(a_wrong_line_is_a_usage_error_that_says_why),
		TEST(a_number_stays_within_its_range),
	};

	return RUN(tests);
}
