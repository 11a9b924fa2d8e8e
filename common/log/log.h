/* log.h - one JSON object per line and event, on standard error.
 *
 * A line is built in memory and written by one write(2), so lines of several
 * threads and processes do not mix. A line has at most LOG_LINE_MAX bytes, a
 * text in it LOG_VALUE_MAX, so that a long path cannot displace the status;
 * what does not fit is truncated, and the line remains valid JSON. Bytes that
 * are not UTF-8 text are written as \u00XX, so a client cannot forge a line.
 *
 * Folders below server/ do not log: they return an error. A log line never
 * contains a secret: no token, no password, no key.
 *
 *	struct log_line l;
 *	log_begin(&l, LOG_WARN, "plaintext-password");
 *	log_int(&l, "user_id", 7);
 *	log_end(&l);
 */
#ifndef LOG_H
#define LOG_H

#include "common/base/span.h"

enum {
	LOG_LINE_MAX = 2048, /* bytes, including the newline */
	LOG_VALUE_MAX = 512, /* bytes of one text, including its escapes */
};

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_line {
	char text[LOG_LINE_MAX];
	size_t len;
	bool wanted; /* false: below the level, nothing is built */
};

/* Lines below `least` are not written. `program` must outlive all logging. */
void log_setup(const char *program, enum log_level least);

/* Parse "debug", "info", "warn" or "error"; false for any other name. */
bool log_level_of(struct span name, enum log_level *out);

void log_begin(struct log_line *l, enum log_level level, const char *event);
void log_text(struct log_line *l, const char *key, struct span value);
void log_str(struct log_line *l, const char *key, const char *value);
void log_int(struct log_line *l, const char *key, int64_t value);
void log_end(struct log_line *l);

/* Write a whole line with one text: {"event":…,"detail":…}. */
void log_event(enum log_level level, const char *event, const char *detail);

#endif
