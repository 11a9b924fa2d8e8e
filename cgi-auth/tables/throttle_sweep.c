#include "cgi-auth/tables/throttle_sweep.h"

#include <string.h>

enum {
	KEY_HEX = 2 * (32 + 48), /* digits of the longest key */
};

struct keys {
	char next[KEY_HEX + 1];
	char all[THROTTLE_SWEEP][KEY_HEX + 1];
	size_t count;
};

static enum err keep(void *arg)
{
	struct keys *k = arg;

	if (k->count == THROTTLE_SWEEP)
		return ERR_OK;
	memcpy(k->all[k->count++], k->next, sizeof(k->next));
	return ERR_OK;
}

static enum err gone_is_fine(enum err e)
{
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err throttle_sweep(struct db *db, int64_t before, struct errmsg *why)
{
	struct keys k = { .count = 0 };
	enum err e = db_each(
		db,
		"SELECT HEX(bucket) FROM throttle WHERE updated_at < ? "
		"ORDER BY updated_at LIMIT ?",
		DB_IN(db_int(before), db_int(THROTTLE_SWEEP)),
		DB_OUT(db_to_text(k.next, sizeof(k.next))), keep, &k, why);

	for (size_t i = 0; e == ERR_OK && i < k.count; i++)
		e = gone_is_fine(db_change(
			db,
			"DELETE FROM throttle "
			"WHERE bucket = UNHEX(?) AND updated_at < ?",
			DB_IN(db_text(span_of(k.all[i])), db_int(before)),
			why));
	return e;
}

/* The key is the account, of fixed length, and the address */
enum err throttle_sweep_known(struct db *db, int64_t before, struct errmsg *why)
{
	struct keys k = { .count = 0 };
	enum err e = db_each(
		db,
		"SELECT CONCAT(HEX(account), address) FROM known_address "
		"WHERE last_seen < ? ORDER BY last_seen LIMIT ?",
		DB_IN(db_int(before), db_int(THROTTLE_SWEEP)),
		DB_OUT(db_to_text(k.next, sizeof(k.next))), keep, &k, why);

	for (size_t i = 0; e == ERR_OK && i < k.count; i++)
		e = gone_is_fine(db_change(
			db,
			"DELETE FROM known_address WHERE account = UNHEX(?) "
			"AND address = ? AND last_seen < ?",
			DB_IN(db_text((struct span) { k.all[i], 64 }),
			      db_text(span_of(k.all[i] + 64)), db_int(before)),
			why));
	return e;
}
