#include "cgi-auth/tables/throttle_sweep.h"

#include <string.h>

enum {
	ACCOUNT_HEX = 64,	 /* digits of known_address.account */
	KEY_HEX = 2 * (32 + 48), /* digits of the longest key */
};

struct key_list {
	char next[KEY_HEX + 1];
	char all[THROTTLE_SWEEP][KEY_HEX + 1];
	size_t count;
};

static enum err add_key(void *arg)
{
	struct key_list *k = arg;

	if (k->count == THROTTLE_SWEEP)
		return ERR_OK;
	memcpy(k->all[k->count++], k->next, sizeof(k->next));
	return ERR_OK;
}

/* ERR_OK also if another machine has deleted the row, or it is in use again */
static enum err ok_if_none(enum err e)
{
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err throttle_sweep(struct db *db, int64_t before, struct errmsg *why)
{
	struct key_list k = { .count = 0 };
	enum err e;

	/* clang-format off */
	e = db_each(db,
		"SELECT HEX(bucket)"
		"  FROM throttle"
		" WHERE updated_at < ?"
		" ORDER BY updated_at"
		" LIMIT ?",
		DB_IN(db_int(before), db_int(THROTTLE_SWEEP)),
		DB_OUT(db_to_text(k.next, sizeof(k.next))),
		add_key, &k, why);
	for (size_t i = 0; e == ERR_OK && i < k.count; i++)
		e = ok_if_none(db_change(db,
			"DELETE FROM throttle"
			" WHERE bucket = UNHEX(?)"
			"   AND updated_at < ?",
			DB_IN(db_text(span_of(k.all[i])), db_int(before)),
			why));
	/* clang-format on */
	return e;
}

/* A key in the list is the account in hex, followed by the address */
enum err throttle_sweep_known(struct db *db, int64_t before, struct errmsg *why)
{
	struct key_list k = { .count = 0 };
	enum err e;

	/* clang-format off */
	e = db_each(db,
		"SELECT CONCAT(HEX(account), address)"
		"  FROM known_address"
		" WHERE last_seen < ?"
		" ORDER BY last_seen"
		" LIMIT ?",
		DB_IN(db_int(before), db_int(THROTTLE_SWEEP)),
		DB_OUT(db_to_text(k.next, sizeof(k.next))),
		add_key, &k, why);
	for (size_t i = 0; e == ERR_OK && i < k.count; i++)
		e = ok_if_none(db_change(db,
			"DELETE FROM known_address"
			" WHERE account = UNHEX(?)"
			"   AND address = ?"
			"   AND last_seen < ?",
			DB_IN(db_text((struct span) { k.all[i], ACCOUNT_HEX }),
			      db_text(span_of(k.all[i] + ACCOUNT_HEX)),
			      db_int(before)),
			why));
	/* clang-format on */
	return e;
}
