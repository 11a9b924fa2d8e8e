/* output.h - what a command prints on standard output.
 *
 * Commands print without checking each call. output_finish(), which the
 * dispatcher calls after every command and every help, makes an output that
 * could not be written EX_IOERR.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "common/codec/json.h"

#include <stdio.h>

/* Before anything is opened or printed. A standard stream that is closed is
 * replaced by one that fails, so that no file or connection takes its number;
 * a closed pipe is an error of the write, not a signal. */
void output_begin(void);

/* Write all that was printed. Returns `status`; or, if it cannot be written,
 * EX_IOERR in place of 0, EXIT_NEGATIVE and EX_TEMPFAIL, with a line on
 * standard error unless the output is a pipe that its reader has closed. */
int output_finish(int status);

/* True once something could not be written: a long command may end early.
 * Called right after printing, it keeps the reason for output_finish(). */
bool output_failed(void);

/* A new JSON object or array, never NULL: out of memory ends the program with
 * EX_OSERR. Owned by the caller. */
struct json_object *output_object(void);
struct json_object *output_array(void);

/* Print `o` as one line and release it. */
void output_json(struct json_object *o);

/* Set a member to a time as RFC 3339, or to null where `t` is `absent`. */
void output_set_time(struct json_object *o, const char *key, int64_t t,
		     int64_t absent);

/* Print `s`, which may come from a user, with "?" for each control character,
 * and blanks up to `width` columns. */
void output_text(const char *s, int width);

#endif
