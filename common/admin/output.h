/* output.h - what a command prints on standard output.
 *
 * Commands print without checking each call. The dispatcher calls
 * output_finish() after every command and every help; it returns EX_IOERR if
 * the output could not be written.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "common/codec/json.h"

#include <stdio.h>

/* Call before anything is opened or printed. Replaces a closed standard stream
 * by one that fails, so that no file or connection takes its number, and
 * ignores SIGPIPE, so that a write to a closed pipe fails. */
void output_begin(void);

/* Write all that was printed. Returns `status`; or, if it cannot be written,
 * EX_IOERR in place of 0, EXIT_NEGATIVE and EX_TEMPFAIL, with a line on
 * standard error. If the output is a pipe that its reader has closed, prints
 * no line, and in place of returning EX_IOERR ends the program by SIGPIPE, as
 * other programs end, unless the program was started with SIGPIPE ignored. */
int output_finish(int status);

/* Return true if any write has failed, so that a long command can stop early.
 * Call it right after printing: it records the reason for output_finish(). */
bool output_failed(void);

/* Return a new JSON object or array, owned by the caller. Never NULL: out of
 * memory ends the program with EX_OSERR. */
struct json_object *output_object(void);
struct json_object *output_array(void);

/* Print `o` as one line and release it. */
void output_json(struct json_object *o);

/* Set a member to a time as RFC 3339, or to null if `t` is `absent`. */
void output_set_time(struct json_object *o, const char *key, int64_t t,
		     int64_t absent);

/* Print `s`, which may come from a user, with "?" for each control character,
 * padded with blanks to `width` columns. */
void output_text(const char *s, int width);

#endif
