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
#include "cgi-auth/tables/audit.h"

/* `user_id` may be 0, and `email` unverified, as the client sent it. */
void audit_note(struct auth *a, const struct request *rq, const char *event,
		uint64_t user_id, const char *email, const char *detail);

/* The same for the user of the request's token. */
void audit_note_caller(struct auth *a, const struct request *rq,
		       const char *event, const char *detail);

/* Add the row alone, within the transaction of what it records. ERR_OK also if it
 * cannot be written; an error means that the transaction is lost. After the
 * commit, audit_note_line() writes the line, and audit_note_sweep() deletes old
 * rows now and then. */
enum err audit_note_within(struct auth *a, const struct request *rq,
			   struct db_conn *c, const struct audit_entry *entry,
			   struct errmsg *why) MUST_CHECK;
void audit_note_sweep(struct auth *a, const struct request *rq);

/* Make a change of the user of the request's token and add its row in one
 * transaction; then write the line. An error of `change` undoes both, and is
 * returned. */
typedef enum err audited_fn(struct db_conn *c, void *arg, struct errmsg *why);
enum err audit_note_change(struct auth *a, const struct request *rq,
			   const char *event, const char *detail,
			   audited_fn *change, void *arg,
			   struct errmsg *why) MUST_CHECK;

/* The line only: for events that a client can cause in floods. */
void audit_note_line(struct auth *a, const struct request *rq,
		     const char *event, uint64_t user_id, const char *email,
		     const char *detail);

#endif
