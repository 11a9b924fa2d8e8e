/* audit_note.h - record an event: a line in the log, and a row in the table
 * (audit.h).
 *
 * The line is {"event":"audit","what":EVENT,"outcome":DETAIL,...}. A row that
 * cannot be written does not fail the request: the line has been written, and
 * another one says why. Never pass a secret.
 */
#ifndef AUDIT_NOTE_H
#define AUDIT_NOTE_H

#include "cgi-auth/app/auth.h"

/* `user_id` may be 0, and `email` unverified, as the client sent it. */
void audit_note(struct auth *a, const struct request *rq, const char *event,
		uint64_t user_id, const char *email, const char *detail);

/* The same for the user of the request's token. */
void audit_note_caller(struct auth *a, const struct request *rq,
		       const char *event, const char *detail);

/* The line only: for events that a client can cause in floods. */
void audit_note_line(struct auth *a, const struct request *rq,
		     const char *event, uint64_t user_id, const char *email,
		     const char *detail);

#endif
