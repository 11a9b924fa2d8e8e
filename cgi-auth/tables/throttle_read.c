#include "cgi-auth/tables/throttle_read.h"

#include <stdio.h>

enum err throttle_who_init(struct throttle_who *out, struct span email,
			   const struct client *client)
{
	enum err e = normalize(email, NORMAL_NFC, out->nfc);

	out->ascii = e == ERR_OK && span_is_ascii(span_of(out->nfc));
	(void)snprintf(out->network, sizeof(out->network), "n%s",
		       client->network);
	return e;
}

enum err throttle_read(struct db *db, const struct throttle_who *w, int64_t now,
		       struct throttle_seen *out, struct errmsg *why)
{
	return db_row(db, "SELECT " THROTTLE_COLUMNS " FROM " THROTTLE_FROM,
		      DB_IN(THROTTLE_VALUES(w, now)),
		      DB_OUT(THROTTLE_FIELDS(out)), why);
}
