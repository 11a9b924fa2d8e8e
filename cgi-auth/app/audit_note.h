/* audit_note.h - what handlers say happened: a line in the log, and a row in
 * the table (audit.h).
 *
 * The line is {"event":"audit","what":EVENT,"outcome":DETAIL,...}. A row that
 * cannot be written does not fail the request: the line is there, and another
 * that says why. Never give either a secret.
 */
#ifndef AUDIT_NOTE_H
#define AUDIT_NOTE_H

#include "cgi-auth/app/auth.h"

/* The user is known only by what he says he is, or by what the caller read:
 * `user_id` 0 and an email that a client sent are fine. */
void audit_note(struct auth *a, const struct request *rq, const char *event,
		uint64_t user_id, const char *email, const char *detail);

/* Of the user whose token the request has. */
void audit_note_caller(struct auth *a, const struct request *rq,
		       const char *event, const char *detail);

/* The line alone: for what comes in floods. */
void audit_note_line(struct auth *a, const struct request *rq,
		     const char *event, uint64_t user_id, const char *email,
		     const char *detail);

#endif
