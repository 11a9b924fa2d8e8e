#include "common/log/log.h"

#include "common/codec/encode.h"
#include "common/codec/http_date.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	LOG_TAIL = 3,  /* kept free: a quote, the brace, the newline */
	LOG_ESCAPE = 6 /* "\u00XX" */
};

static const char *const level_names[] = { "debug", "info", "warn", "error" };
static enum log_level least_wanted = LOG_INFO;
static const char *program_name = "gatehouse";

void log_setup(const char *program, enum log_level least)
{
	program_name = program;
	least_wanted = least;
}

bool log_level_of(struct span name, enum log_level *out)
{
	for (int i = LOG_DEBUG; i <= LOG_ERROR; i++) {
		if (span_eq(name, span_of(level_names[i]))) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

/* Append, unless the line would become longer than `end` */
static bool add_to(struct log_line *l, size_t end, const char *p, size_t n)
{
	if (l->len + n > end)
		return false;
	memcpy(l->text + l->len, p, n);
	l->len += n;
	return true;
}

static bool add(struct log_line *l, const char *p, size_t n)
{
	return add_to(l, sizeof(l->text) - LOG_TAIL, p, n);
}

/* Return the length of the UTF-8 character that `s` begins with; 0 if it is
 * invalid */
static size_t character(struct span s)
{
	for (size_t n = 1; n <= 4 && n <= s.len; n++)
		if (utf8_valid((struct span) { s.p, n }))
			return n;
	return 0;
}

static void add_escaped(struct log_line *l, struct span s)
{
	const size_t line_end = sizeof(l->text) - LOG_TAIL;
	size_t end = l->len + LOG_VALUE_MAX;
	bool room = true;

	if (end > line_end)
		end = line_end;
	while (s.len > 0 && room) {
		unsigned char c = (unsigned char)s.p[0];
		char escape[LOG_ESCAPE + 1];
		size_t n = c < 0x80 ? 1 : character(s);

		if (n == 0 || c < 0x20 || c == 0x7f) {
			(void)snprintf(escape, sizeof(escape), "\\u%04x", c);
			room = add_to(l, end, escape, LOG_ESCAPE);
			n = 1;
		} else if (c == '"' || c == '\\') {
			escape[0] = '\\';
			escape[1] = (char)c;
			room = add_to(l, end, escape, 2);
		} else {
			room = add_to(l, end, s.p, n);
		}
		s = span_from(s, n);
	}
}

/* Append `,"key":` if there is room for it and the shortest value */
static bool add_key(struct log_line *l, const char *key)
{
	size_t before = l->len;

	if (l->wanted && (l->len == 1 || add(l, ",", 1)) && add(l, "\"", 1) &&
	    add(l, key, strlen(key)) && add(l, "\":", 2) &&
	    l->len + LOG_TAIL + 24 <= sizeof(l->text))
		return true;
	l->len = before;
	return false;
}

void log_begin(struct log_line *l, enum log_level level, const char *event)
{
	char when[RFC3339_MILLI_LEN + 1];
	struct timespec now;

	l->len = 0;
	l->wanted = level >= least_wanted;
	if (!l->wanted)
		return;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	rfc3339_format_milli((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000,
			     when);
	(void)add(l, "{", 1);
	log_str(l, "time", when);
	log_str(l, "level", level_names[level]);
	log_str(l, "program", program_name);
	log_str(l, "event", event);
}

void log_text(struct log_line *l, const char *key, struct span value)
{
	if (!add_key(l, key))
		return;
	(void)add(l, "\"", 1);
	add_escaped(l, value);
	/* add() always leaves room for this */
	l->text[l->len++] = '"';
}

void log_str(struct log_line *l, const char *key, const char *value)
{
	log_text(l, key, span_of(value));
}

void log_int(struct log_line *l, const char *key, int64_t value)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%lld", (long long)value);

	if (n > 0 && add_key(l, key))
		(void)add(l, text, (size_t)n);
}

void log_end(struct log_line *l)
{
	ssize_t ignored;

	if (!l->wanted)
		return;
	l->text[l->len++] = '}';
	l->text[l->len++] = '\n';
	/* A log that cannot be written must not stop the service */
	ignored = write(STDERR_FILENO, l->text, l->len);
	(void)ignored;
}

void log_event(enum log_level level, const char *event, const char *detail)
{
	struct log_line l;

	log_begin(&l, level, event);
	log_str(&l, "detail", detail);
	log_end(&l);
}
