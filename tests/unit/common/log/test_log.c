#include "common/codec/json.h"
#include "common/log/log.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <unistd.h>

/* What `write_lines` writes to standard error, terminated; owned */
static char *logged(void (*write_lines)(const void *), const void *arg,
		    size_t *len)
{
	FILE *f = tmpfile();
	int saved = dup(STDERR_FILENO);
	char *text = calloc(1, 1 << 20);
	long n;

	assert_non_null(f);
	assert_non_null(text);
	assert_true(saved >= 0);
	assert_int_equal(dup2(fileno(f), STDERR_FILENO), STDERR_FILENO);
	write_lines(arg);
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	(void)close(saved);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	n = ftell(f);
	assert_true(n >= 0 && n < 1 << 20);
	rewind(f);
	*len = fread(text, 1, (size_t)n, f);
	assert_int_equal(*len, n);
	(void)fclose(f);
	return text;
}

/* One line, at most LOG_LINE_MAX, that is one JSON object; owned */
static struct json_object *logged_line(void (*write_lines)(const void *),
				       const void *arg)
{
	struct json_object *o = NULL;
	size_t len;
	char *text = logged(write_lines, arg, &len);

	assert_true(len > 0 && len <= LOG_LINE_MAX);
	assert_int_equal(span_find((struct span) { text, len }, '\n'), len - 1);
	assert_ok(json_read((struct span) { text, len - 1 }, &o));
	free(text);
	return o;
}

static void log_one_event(const void *detail)
{
	log_event(LOG_WARN, "some-event", detail);
}

static void a_line_has_time_level_program_and_event(void **state)
{
	struct json_object *o;
	char text[64];

	(void)state;
	log_setup("test-log", LOG_INFO);
	o = logged_line(log_one_event, "some words");
	assert_ok(json_get_text(o, "time", text, sizeof(text)));
	assert_int_equal(strlen(text), 24);
	assert_memory_equal(text, "20", 2);
	assert_ok(json_get_text(o, "level", text, sizeof(text)));
	assert_string_equal(text, "warn");
	assert_ok(json_get_text(o, "program", text, sizeof(text)));
	assert_string_equal(text, "test-log");
	assert_ok(json_get_text(o, "event", text, sizeof(text)));
	assert_string_equal(text, "some-event");
	assert_ok(json_get_text(o, "detail", text, sizeof(text)));
	assert_string_equal(text, "some words");
	json_object_put(o);
}

static void log_one_value(const void *arg)
{
	const struct span *value = arg;
	struct log_line l;

	log_begin(&l, LOG_ERROR, "value");
	log_text(&l, "v", *value);
	log_int(&l, "n", INT64_MIN);
	log_end(&l);
}

static void every_byte_makes_a_valid_line(void **state)
{
	(void)state;
	for (int c = 1; c < 256; c++) {
		char text[3] = { 'a', (char)c, 'z' };
		struct span value = { text, sizeof(text) };
		struct json_object *o = logged_line(log_one_value, &value), *v;
		int64_t n;

		/* it is read back as U+00XX, or as itself if it is ASCII */
		assert_true(json_object_object_get_ex(o, "v", &v));
		assert_int_equal(json_object_get_string_len(v),
				 c < 0x80 ? 3 : 4);
		assert_err(json_get_int(o, "n", &n),
			   ERR_FORMAT); /* INT64_MIN */
		json_object_put(o);
	}
}

static void a_nul_byte_is_escaped(void **state)
{
	struct span value = SPAN("a\0b");
	size_t len;
	char *text = logged(log_one_value, &value, &len);

	(void)state;
	assert_int_equal(strlen(text), len);
	assert_contains(text, "\"v\":\"a\\u0000b\",");
	free(text);
}

static void a_line_break_in_a_value_forges_no_line(void **state)
{
	struct span value =
		SPAN("x\"}\n{\"event\":\"request\",\"user\":\"root\"}\r\n");
	struct json_object *o = logged_line(log_one_value, &value);
	char text[32];

	(void)state;
	assert_err(json_get_text(o, "user", text, sizeof(text)), ERR_NOT_FOUND);
	assert_ok(json_get_text(o, "event", text, sizeof(text)));
	assert_string_equal(text, "value");
	json_object_put(o);
}

static void utf8_stays_readable_and_broken_utf8_is_escaped(void **state)
{
	struct span value =
		SPAN("\xc3\xa9 \xf0\x9f\x98\x80 \xc3( \xed\xa0\x80 \xf0\x9f");
	struct json_object *o = logged_line(log_one_value, &value);
	char text[64];

	(void)state;
	/* U+0080, U+0090 and so on are C1 controls, not ASCII controls */
	assert_ok(json_get_text(o, "v", text, sizeof(text)));
	assert_string_equal(text, "\xc3\xa9 \xf0\x9f\x98\x80 \xc3\x83( "
				  "\xc3\xad\xc2\xa0\xc2\x80 \xc3\xb0\xc2\x9f");
	json_object_put(o);
}

/* Values of every length around the end of the line, of characters whose
 * escapes have every length, with more members after them */
static void a_line_cut_anywhere_is_valid_json(void **state)
{
	static const char *const characters[] = {
		"a",	    "\"",	    "\x01",
		"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"
	};
	static char text[LOG_LINE_MAX * 2];

	(void)state;
	for (size_t i = 0; i < COUNT(characters); i++) {
		size_t width = strlen(characters[i]);

		for (size_t n = 0; n + width <= sizeof(text); n += width)
			memcpy(text + n, characters[i], width);
		for (size_t n = 0; n < sizeof(text) / width; n += 1 + n / 200) {
			struct span value = { text, n * width };

			json_object_put(logged_line(log_one_value, &value));
		}
	}
}

static void log_one_members(const void *arg)
{
	const size_t *length = arg;
	char text[LOG_LINE_MAX];
	struct log_line l;

	memset(text, 'm', sizeof(text));
	log_begin(&l, LOG_ERROR, "members");
	for (int i = 0; i < 100; i++) {
		char key[16];

		(void)snprintf(key, sizeof(key), "key%d", i);
		log_text(&l, key, (struct span) { text, *length });
		(void)snprintf(key, sizeof(key), "int%d", i);
		log_int(&l, key, i % 2 ? INT64_MAX - 1 : -INT64_MAX);
	}
	log_end(&l);
}

static void too_many_members_leave_a_valid_line(void **state)
{
	(void)state;
	for (size_t length = 0; length < LOG_LINE_MAX;
	     length += 1 + length / 50)
		json_object_put(logged_line(log_one_members, &length));
}

static void log_one_request(const void *arg)
{
	const struct span *path = arg;
	struct log_line l;

	log_begin(&l, LOG_ERROR, "request");
	log_text(&l, "path", *path);
	log_int(&l, "status", 404);
	log_end(&l);
}

static void a_long_value_leaves_room_for_later_members(void **state)
{
	char text[4096];
	struct span path = { text, sizeof(text) };
	struct json_object *o;
	int64_t n;

	(void)state;
	memset(text, 'p', sizeof(text));
	o = logged_line(log_one_request, &path);
	assert_ok(json_get_int(o, "status", &n));
	assert_int_equal(n, 404);
	json_object_put(o);
}

static void log_one_info(const void *arg)
{
	(void)arg;
	log_event(LOG_INFO, "not-wanted", "text");
	log_event(LOG_DEBUG, "not-wanted", "text");
}

static void lines_below_the_level_are_not_written(void **state)
{
	size_t len;

	(void)state;
	log_setup("test-log", LOG_WARN);
	free(logged(log_one_info, NULL, &len));
	assert_int_equal(len, 0);
	log_setup("test-log", LOG_INFO);
	free(logged(log_one_info, NULL, &len));
	assert_true(len > 0);
}

static void levels_have_names(void **state)
{
	enum log_level level = LOG_WARN;

	(void)state;
	assert_true(log_level_of(SPAN("debug"), &level));
	assert_int_equal(level, LOG_DEBUG);
	assert_true(log_level_of(SPAN("error"), &level));
	assert_int_equal(level, LOG_ERROR);
	assert_false(log_level_of(SPAN("ERROR"), &level));
	assert_false(log_level_of(SPAN("warning"), &level));
	assert_false(log_level_of(SPAN(""), &level));
	assert_int_equal(level, LOG_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_line_has_time_level_program_and_event),
		TEST(every_byte_makes_a_valid_line),
		TEST(a_nul_byte_is_escaped),
		TEST(a_line_break_in_a_value_forges_no_line),
		TEST(utf8_stays_readable_and_broken_utf8_is_escaped),
		TEST(a_line_cut_anywhere_is_valid_json),
		TEST(too_many_members_leave_a_valid_line),
		TEST(a_long_value_leaves_room_for_later_members),
		TEST(lines_below_the_level_are_not_written),
		TEST(levels_have_names),
	};

	return RUN(tests);
}
