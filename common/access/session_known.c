#include "common/access/session_known.h"

bool session_known_find(struct db *db, const char *id, struct session_row *out)
{
	return db_known_find(db, DB_KNOWN_SESSIONS, span_of(id), out);
}

void session_known_note(struct db *db, const char *id, uint64_t user,
			struct session_note *out)
{
	struct session_row last;

	if (user == 0 &&
	    db_known_last(db, DB_KNOWN_SESSIONS, span_of(id), &last))
		user = last.user_id;
	out->user = user;
	db_known_note(db, DB_KNOWN_SESSIONS, change_key_of_text(span_of(id)),
		      change_key_of_number(user), &out->note);
}

void session_known_keep(struct db *db, const char *id,
			const struct session_row *row,
			const struct session_note *n)
{
	if (row->user_id == n->user)
		db_known_keep(db, DB_KNOWN_SESSIONS, span_of(id), row,
			      &n->note);
	else
		session_known_drop(db, id, row);
}

void session_known_drop(struct db *db, const char *id,
			const struct session_row *row)
{
	const struct row_note none = { .file = NULL };

	db_known_keep(db, DB_KNOWN_SESSIONS, span_of(id), row, &none);
}
