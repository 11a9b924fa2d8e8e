#include "common/admin/command_table.h"

#include "common/admin/listing.h"
#include "common/admin/output.h"
#include "tests/unit/common/admin/capture.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

static char ran[64]; /* "NAME ARGC ARGV1" */

static int remember(const char *name, int argc, char **argv)
{
	(void)snprintf(ran, sizeof(ran), "%s %d %s", name, argc,
		       argc > 1 ? argv[1] : "");
	(void)printf("done\n");
	return 0;
}

static int one(int argc, char **argv)
{
	return remember("one", argc, argv);
}

static int add(int argc, char **argv)
{
	return remember("add", argc, argv);
}

static int deep(int argc, char **argv)
{
	return remember("deep", argc, argv);
}

static int negative(int argc, char **argv)
{
	(void)remember("negative", argc, argv);
	return 1;
}

static int unavailable(int argc, char **argv)
{
	(void)remember("unavailable", argc, argv);
	return 69;
}

static const struct command commands[] = {
	{ "one", one, "", "do one thing", "More of it.\n" },
	{ "user add", add, "EMAIL", "add a user", "" },
	{ "user totp reset", deep, "EMAIL", "reset it", "" },
	{ "negative", negative, "", "find something", "" },
	{ "unavailable", unavailable, "", "find no database", "" },
};

static const struct command_table table = {
	"tool",	  "manage things", "Settings are few.\n",
	commands, COUNT(commands),
};

static struct capture c;

/* Run with words that blanks separate */
static int run(const char *line)
{
	static char text[128];
	char *argv[10] = { text };
	int argc = 1, status;

	(void)snprintf(text, sizeof(text), "tool %s", line);
	for (char *p = text; *p != '\0'; p++)
		if (*p == ' ' && p[1] != '\0') {
			*p = '\0';
			argv[argc++] = p + 1;
		}
	ran[0] = '\0';
	capture_begin(&c);
	status = command_table_main(&table, argc, argv);
	capture_end(&c);
	return status;
}

static void a_command_is_found_by_all_of_its_words(void **state)
{
	(void)state;
	assert_int_equal(run("one"), 0);
	assert_string_equal(ran, "one 1 ");
	assert_int_equal(run("user add ann --x"), 0);
	assert_string_equal(ran, "add 3 ann");
	assert_int_equal(run("user totp reset ann"), 0);
	assert_string_equal(ran, "deep 2 ann");
	assert_string_equal(c.out, "done\n");
	assert_string_equal(c.err, "");
}

static void assert_refused(const char *line, const char *message)
{
	assert_int_equal(run(line), 64);
	assert_string_equal(ran, "");
	assert_string_equal(c.out, "");
	assert_string_equal(c.err, message);
}

static void an_unknown_command_is_a_usage_error(void **state)
{
	(void)state;
	assert_refused("", "tool: a command is missing; see tool --help\n");
	assert_refused("x", "tool: there is no command \"x\"; see tool "
			    "--help\n");
	assert_refused("user", "tool user: a command is missing; see tool user "
			       "--help\n");
	assert_refused("user x y", "tool user: there is no command \"user x\"; "
				   "see tool user --help\n");
	assert_refused("user totp", "tool user totp: a command is missing; see "
				    "tool user totp --help\n");
	assert_refused("add", "tool: there is no command \"add\"; see tool "
			      "--help\n");
}

static void the_help_is_of_all_or_of_a_group_or_of_one(void **state)
{
	(void)state;
	assert_int_equal(run("--help"), 0);
	assert_contains(c.out, "  tool user add         add a user\n");
	assert_contains(c.out, "  tool one ");
	assert_contains(c.out, "Settings are few.\n");
	assert_contains(c.out, "\n  74  ");
	assert_int_equal(run("user totp --help"), 0);
	assert_contains(c.out, "  tool user totp reset  reset it\n");
	assert_lacks(c.out, "user add");
	assert_int_equal(run("one --help"), 0);
	assert_contains(c.out, "usage: tool one\n\nDo one thing.\n\nMore of "
			       "it.\n");
	assert_string_equal(ran, "");
	assert_int_equal(run("one -- --help"), 0);
	assert_string_equal(ran, "one 3 --");
}

static void the_version_is_printed(void **state)
{
	(void)state;
	assert_int_equal(run("--version"), 0);
	assert_string_equal(c.out, "tool " GATEHOUSE_VERSION "\n");
}

/* The exit status of a run in a process of its own, whose standard output is
 * /dev/full */
static int run_full(const char *line)
{
	int status;
	pid_t child;

	(void)fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		char text[64], *argv[] = { text, text, NULL };
		int full = open("/dev/full", O_WRONLY);

		(void)snprintf(text, sizeof(text), "%s", line);
		(void)dup2(full, STDOUT_FILENO);
		(void)dup2(full, STDERR_FILENO);
		_exit(command_table_main(&table, 2, argv));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void an_output_that_cannot_be_written_is_74(void **state)
{
	(void)state;
	assert_int_equal(run_full("one"), 74);
	assert_int_equal(run_full("negative"), 74);
	assert_int_equal(run_full("--help"), 74);
	assert_int_equal(run_full("--version"), 74);
	/* a failure keeps its status: its reason is not the output */
	assert_int_equal(run_full("unavailable"), 69);
	assert_int_equal(run_full("nonsense"), 64);
}

static const struct listing_column columns[] = { { "NAME", 6 },
						 { "AT", 0 },
						 { NULL, 0 } };

static void a_listing_is_a_table_with_a_heading(void **state)
{
	struct listing l = { .columns = columns };

	(void)state;
	capture_begin(&c);
	listing_begin(&l);
	listing_cell(&l, "a\tb\303\251");
	listing_time(&l, 0, -1, "never");
	listing_cell(&l, "longer than it");
	listing_time(&l, -1, -1, "never");
	listing_end(&l, "None.");
	capture_end(&c);
	assert_string_equal(c.out, "NAME   AT\n"
				   "a?b\303\251   1970-01-01T00:00:00Z\n"
				   "longer than it never\n");
	l = (struct listing) { .columns = columns };
	capture_begin(&c);
	listing_begin(&l);
	listing_end(&l, "None.");
	capture_end(&c);
	assert_string_equal(c.out, "None.\n");
}

static void a_listing_is_a_json_array(void **state)
{
	struct listing l = { .json = true };

	(void)state;
	capture_begin(&c);
	listing_begin(&l);
	for (int i = 1; i <= 2; i++) {
		struct json_object *o = output_object();

		json_set_int(o, "n", i);
		assert_ok(listing_object(&l, o));
	}
	assert_err(listing_object(&l, NULL), ERR_MEMORY);
	listing_end(&l, "None.");
	capture_end(&c);
	assert_string_equal(c.out, "[\n{\"n\":1},\n{\"n\":2}\n]\n");
	l = (struct listing) { .json = true };
	capture_begin(&c);
	listing_begin(&l);
	listing_end(&l, "None.");
	capture_end(&c);
	assert_string_equal(c.out, "[]\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_command_is_found_by_all_of_its_words),
		TEST(an_unknown_command_is_a_usage_error),
		TEST(the_help_is_of_all_or_of_a_group_or_of_one),
		TEST(the_version_is_printed),
		TEST(an_output_that_cannot_be_written_is_74),
		TEST(a_listing_is_a_table_with_a_heading),
		TEST(a_listing_is_a_json_array),
	};

	return RUN(tests);
}
