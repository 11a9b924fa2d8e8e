#include "common/codec/config.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Copies of values until one has no memory; 0: none fails */
static int copies_until_failure;

static bool copy_fails(void)
{
	return copies_until_failure > 0 && --copies_until_failure == 0;
}

char *__wrap_strdup(const char *s);
char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s)
{
	return copy_fails() ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t n);
char *__real_strndup(const char *s, size_t n);
char *__wrap_strndup(const char *s, size_t n)
{
	return copy_fails() ? NULL : __real_strndup(s, n);
}

/* There is no memory for the text of a file */
static bool no_memory_for_files;

void *__wrap_malloc(size_t n);
void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n)
{
	return no_memory_for_files && n > CONFIG_FILE_MAX ? NULL
							  : __real_malloc(n);
}

struct values {
	char *name, *secret;
	int64_t count;
};

static const struct config_item items[] = {
	{ "T_NAME", CONFIG_TEXT, offsetof(struct values, name), "fallback", 0,
	  0, "a name" },
	{ "T_COUNT", CONFIG_INT, offsetof(struct values, count), "5", 1, 10,
	  "a count" },
	{ "T_SECRET", CONFIG_SECRET, offsetof(struct values, secret), NULL, 0,
	  0, "the secret word" },
};

static char folder[] = "/tmp/test-config.XXXXXX";
static char path[2][64]; /* two files of the tests */

static void write_file(int which, struct span text)
{
	FILE *f = fopen(path[which], "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text.p, 1, text.len, f), text.len);
	assert_int_equal(fclose(f), 0);
}

static void set(const char *name, const char *value)
{
	assert_int_equal(setenv(name, value, 1), 0);
}

static int clean_environment(void **state)
{
	static const char *const names[] = { "T_NAME",	      "T_NAME_FILE",
					     "T_COUNT",	      "T_COUNT_FILE",
					     "T_SECRET",      "T_SECRET_FILE",
					     "GATEHOUSE_CONF" };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		if (unsetenv(names[i]) != 0)
			return -1;
	return 0;
}

static enum err load(struct values *v, struct errmsg *why)
{
	return config_load(items, COUNT(items), v, why);
}

static void assert_name(const char *want)
{
	struct values v;

	assert_ok(load(&v, NULL));
	assert_string_equal(v.name, want);
	config_release(items, COUNT(items), &v);
}

static void assert_wrong(const char *name, const char *reason)
{
	struct errmsg why = { "" };
	struct values v;

	assert_err(load(&v, &why), ERR_CONFIG);
	assert_ptr_equal(strstr(why.text, name), why.text);
	assert_contains(why.text, reason);
	assert_null(strchr(why.text, '\n'));
}

static void a_setting_that_is_not_set_has_its_fallback(void **state)
{
	struct values v;

	(void)state;
	set("T_SECRET", "s3cret");
	assert_ok(load(&v, NULL));
	assert_string_equal(v.name, "fallback");
	assert_string_equal(v.secret, "s3cret");
	assert_int_equal(v.count, 5);
	config_release(items, COUNT(items), &v);
}

static void a_lack_of_memory_is_not_a_wrong_setting(void **state)
{
	struct errmsg why;
	struct values v;

	(void)state;
	set("T_SECRET", "s3cret");
	for (int copy = 1; copy <= 3; copy++) {
		copies_until_failure = copy;
		assert_err(load(&v, &why), ERR_MEMORY);
		assert_int_equal(copies_until_failure, 0);
	}
	assert_ok(load(&v, &why));
	config_release(items, COUNT(items), &v);
}

static void a_lack_of_memory_to_read_a_file_is_not_a_wrong_setting(void **state)
{
	struct errmsg why;
	struct values v;

	(void)state;
	set("T_SECRET", "s3cret");
	write_file(0, SPAN("T_NAME=from the file\n"));
	set("GATEHOUSE_CONF", path[0]);
	no_memory_for_files = true;
	assert_err(load(&v, &why), ERR_MEMORY);
	assert_string_equal(why.text, "GATEHOUSE_CONF: out of memory");
	set("GATEHOUSE_CONF", "");
	set("T_NAME_FILE", path[0]);
	assert_err(load(&v, &why), ERR_MEMORY);
	assert_string_equal(why.text, "T_NAME_FILE: out of memory");
	no_memory_for_files = false;
	assert_ok(load(&v, &why));
	config_release(items, COUNT(items), &v);
}

static void a_required_setting_that_is_missing_is_named(void **state)
{
	(void)state;
	assert_wrong("T_SECRET: ", "missing; set it: the secret word");
	set("T_SECRET", "");
	assert_wrong("T_SECRET: ", "missing");
	write_file(0, SPAN("T_NAME=x\n#T_SECRET=y\nT_SECRET=\n"));
	set("GATEHOUSE_CONF", path[0]);
	assert_wrong("T_SECRET: ", "missing");
}

static void the_environment_precedes_its_file_which_precedes_the_conf(
	void **state)
{
	(void)state;
	set("T_SECRET", "s");
	write_file(0, SPAN("T_NAME_FILE=/nowhere\nT_NAME=from conf\n"));
	write_file(1, SPAN("from file\n"));
	set("GATEHOUSE_CONF", path[0]);
	assert_name("from conf");
	set("T_NAME_FILE", path[1]);
	assert_name("from file");
	set("T_NAME", "from environment");
	assert_name("from environment");
}

static void the_conf_may_name_a_file(void **state)
{
	char conf[128];

	(void)state;
	(void)snprintf(conf, sizeof(conf), "T_NAME_FILE=%s\nT_SECRET=s",
		       path[1]);
	write_file(0, span_of(conf));
	write_file(1, SPAN("from file"));
	set("GATEHOUSE_CONF", path[0]);
	assert_name("from file");
}

static void an_empty_value_counts_as_not_set(void **state)
{
	(void)state;
	set("T_SECRET", "s");
	write_file(0, SPAN("T_NAME=from conf\n"));
	set("GATEHOUSE_CONF", path[0]);
	set("T_NAME", "");
	set("T_NAME_FILE", "");
	assert_name("from conf");
	write_file(0, SPAN("T_NAME=\n"));
	assert_name("fallback");
}

static void an_empty_file_counts_as_not_set(void **state)
{
	struct values v;

	(void)state;
	set("T_SECRET", "s");
	write_file(1, SPAN("\n"));
	set("T_NAME_FILE", path[1]);
	set("T_COUNT_FILE", path[1]);
	assert_ok(load(&v, NULL));
	assert_string_equal(v.name, "fallback");
	assert_int_equal(v.count, 5);
	config_release(items, COUNT(items), &v);
}

static void lines_of_the_conf_are_read_literally(void **state)
{
	static const struct {
		const char *conf, *name;
	} cases[] = {
		{ "T_NAME=a b\n", "a b" },
		{ "  T_NAME \t= \ta=b \t\n", "a=b" },
		{ "T_NAME=\"quoted\"", "\"quoted\"" },
		{ "T_NAME=$HOME # no comment", "$HOME # no comment" },
		{ "T_NAME=first\nT_NAME=second\n", "first" },
		{ "T_NAME=dos\r\nX=\r\n", "dos" },
		{ "XT_NAME=no\nT_NAMEX=no\nexport T_NAME=no\n", "fallback" },
		{ "# T_NAME=no\n#T_NAME=no\n\n\n", "fallback" },
		{ "T_NAME\nno line at all", "fallback" },
		{ "", "fallback" },
	};

	(void)state;
	set("T_SECRET", "s");
	set("GATEHOUSE_CONF", path[0]);
	for (size_t i = 0; i < COUNT(cases); i++) {
		write_file(0, span_of(cases[i].conf));
		assert_name(cases[i].name);
	}
}

static void a_file_loses_only_one_newline_at_its_end(void **state)
{
	(void)state;
	set("T_SECRET", "s");
	set("T_NAME_FILE", path[1]);
	write_file(1, SPAN("  a\nb \n\n"));
	assert_name("  a\nb \n");
}

static void a_number_is_whole_and_in_its_range(void **state)
{
	static const char *const wrong[] = { "0",   "11",
					     "-1",  "5x",
					     " 5",  "1.5",
					     "0x5", "99999999999999999999" };
	struct values v;

	(void)state;
	set("T_SECRET", "s");
	for (size_t i = 0; i < COUNT(wrong); i++) {
		set("T_COUNT", wrong[i]);
		assert_wrong("T_COUNT: ", "is not a whole number from 1 to 10");
	}
	set("T_COUNT", "1");
	assert_ok(load(&v, NULL));
	assert_int_equal(v.count, 1);
	config_release(items, COUNT(items), &v);
	set("T_COUNT", "10");
	assert_ok(load(&v, NULL));
	assert_int_equal(v.count, 10);
	config_release(items, COUNT(items), &v);
}

static void an_unreadable_file_is_named_with_its_setting(void **state)
{
	(void)state;
	set("T_SECRET_FILE", "/nowhere/secret");
	assert_wrong("T_SECRET_FILE: ", "/nowhere/secret");
	set("T_SECRET_FILE", folder);
	assert_wrong("T_SECRET_FILE: ", folder);
	assert_int_equal(unsetenv("T_SECRET_FILE"), 0);
	set("T_SECRET", "s");
	set("GATEHOUSE_CONF", "/nowhere/conf");
	assert_wrong("GATEHOUSE_CONF: ", "/nowhere/conf");
}

static void a_file_with_a_nul_byte_is_refused(void **state)
{
	(void)state;
	write_file(1, SPAN("se\0cret"));
	set("T_SECRET_FILE", path[1]);
	assert_wrong("T_SECRET_FILE: ", "NUL");
}

static void a_file_over_64_kib_is_refused(void **state)
{
	char *text = malloc(CONFIG_FILE_MAX + 1);
	struct errmsg why;
	size_t n;
	char *back;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', CONFIG_FILE_MAX + 1);
	write_file(0, (struct span) { text, CONFIG_FILE_MAX });
	assert_ok(config_read_file(path[0], &back, &n, &why));
	assert_int_equal(n, CONFIG_FILE_MAX);
	assert_int_equal(strlen(back), n);
	free(back);
	write_file(0, (struct span) { text, CONFIG_FILE_MAX + 1 });
	assert_err(config_read_file(path[0], &back, &n, &why), ERR_CONFIG);
	assert_contains(why.text, "65536");
	free(text);
}

/* What `print` writes, as a terminated string; owned */
static char *printed(void (*print)(FILE *, const void *), const void *arg)
{
	char *text = calloc(1, 8192);
	FILE *f = tmpfile();

	assert_non_null(f);
	assert_non_null(text);
	print(f, arg);
	rewind(f);
	assert_true(fread(text, 1, 8191, f) < 8191);
	(void)fclose(f);
	return text;
}

static void print_values(FILE *f, const void *v)
{
	config_print(items, COUNT(items), v, f);
}

static void print_help(FILE *f, const void *v)
{
	(void)v;
	config_help(items, COUNT(items), f);
}

static void printed_settings_hide_the_secret(void **state)
{
	struct values v;
	char *text;

	(void)state;
	set("T_SECRET", "s3cret");
	assert_ok(load(&v, NULL));
	text = printed(print_values, &v);
	assert_string_equal(text,
			    "T_NAME=fallback\nT_COUNT=5\nT_SECRET=(set)\n");
	free(text);
	v.secret[0] = '\0';
	text = printed(print_values, &v);
	assert_contains(text, "T_SECRET=(empty)\n");
	free(text);
	config_release(items, COUNT(items), &v);
}

static void the_help_names_fallbacks_and_required_settings(void **state)
{
	char *text = printed(print_help, NULL);

	(void)state;
	assert_contains(text, "T_NAME");
	assert_contains(text, "a name (fallback)\n");
	assert_contains(text, "a count (5)\n");
	assert_contains(text, "the secret word (required)\n");
	free(text);
}

int main(void)
{
#define FIXTURE_TEST(name) cmocka_unit_test_setup(name, clean_environment)
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(a_setting_that_is_not_set_has_its_fallback),
		FIXTURE_TEST(a_lack_of_memory_is_not_a_wrong_setting),
		FIXTURE_TEST(
			a_lack_of_memory_to_read_a_file_is_not_a_wrong_setting),
		FIXTURE_TEST(a_required_setting_that_is_missing_is_named),
		FIXTURE_TEST(
			the_environment_precedes_its_file_which_precedes_the_conf),
		FIXTURE_TEST(the_conf_may_name_a_file),
		FIXTURE_TEST(an_empty_value_counts_as_not_set),
		FIXTURE_TEST(an_empty_file_counts_as_not_set),
		FIXTURE_TEST(lines_of_the_conf_are_read_literally),
		FIXTURE_TEST(a_file_loses_only_one_newline_at_its_end),
		FIXTURE_TEST(a_number_is_whole_and_in_its_range),
		FIXTURE_TEST(an_unreadable_file_is_named_with_its_setting),
		FIXTURE_TEST(a_file_with_a_nul_byte_is_refused),
		FIXTURE_TEST(a_file_over_64_kib_is_refused),
		FIXTURE_TEST(printed_settings_hide_the_secret),
		FIXTURE_TEST(the_help_names_fallbacks_and_required_settings),
	};
	int failed;

	if (mkdtemp(folder) == NULL)
		return 1;
	(void)snprintf(path[0], sizeof(path[0]), "%s/conf", folder);
	(void)snprintf(path[1], sizeof(path[1]), "%s/value", folder);
	failed = RUN(tests);
	(void)unlink(path[0]);
	(void)unlink(path[1]);
	(void)rmdir(folder);
	return failed;
}
