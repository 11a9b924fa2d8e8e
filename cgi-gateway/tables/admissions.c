#include "cgi-gateway/tables/admissions.h"

#include <string.h>

struct sums {
	int64_t all, owner, owner_bodies, expired;
};

/* From here to the end of the transaction, no other request adds a row */
static enum err lock(struct db_conn *c, struct errmsg *why)
{
	/* clang-format off */
	return db_tx_change(c,
		"UPDATE admission_lock"
		"   SET changes = changes + 1"
		" WHERE id = 1",
		DB_NONE, why);
	/* clang-format on */
}

/* Of an owner over the limit, `all` has the limit only */
static enum err sum(struct db_conn *c, uint64_t owner, int64_t now,
		    int64_t owner_max, struct sums *out, struct errmsg *why)
{
	/* clang-format off */
	return db_tx_row(c,
		"SELECT CAST(COALESCE(SUM(LEAST(o.bytes, ?)), 0) AS SIGNED),"
		"       CAST(COALESCE(SUM(IF(o.owner = ?, o.bytes, 0)), 0)"
		"            AS SIGNED),"
		"       CAST(COALESCE(SUM(IF(o.owner = ?, o.bodies, 0)), 0)"
		"            AS SIGNED),"
		"       CAST(COALESCE(SUM(o.expired), 0) AS SIGNED)"
		"  FROM (SELECT a.owner,"
		"               SUM(IF(a.expires_at > ?, a.bytes, 0)) AS bytes,"
		"               SUM(a.expires_at > ?) AS bodies,"
		"               SUM(a.expires_at <= ?) AS expired"
		"          FROM admission a"
		"         GROUP BY a.owner) o",
		DB_IN(db_int(owner_max), db_uint(owner), db_uint(owner),
		      db_int(now), db_int(now), db_int(now)),
		DB_OUT(db_to_int(&out->all), db_to_int(&out->owner),
		       db_to_int(&out->owner_bodies),
		       db_to_int(&out->expired)),
		why);
	/* clang-format on */
}

static enum err remove_expired(struct db_conn *c, int64_t now,
			       struct errmsg *why)
{
	/* clang-format off */
	enum err e = db_tx_change(c,
		"DELETE FROM admission"
		" WHERE expires_at <= ?",
		DB_IN(db_int(now)), why);
	/* clang-format on */

	return e == ERR_NOT_FOUND ? ERR_OK : e; /* their requests have ended */
}

static bool fits(int64_t used, int64_t more, int64_t max)
{
	return used == 0 || more <= max - used;
}

static enum err check(const struct sums *s, int64_t bytes,
		      const struct admission_limits *limits)
{
	if (s->owner_bodies >= ADMISSION_BODIES_MAX ||
	    !fits(s->owner, bytes, limits->owner))
		return ERR_TOO_MANY_UPLOADS;
	if (bytes > limits->owner)
		bytes = limits->owner; /* as in sum() */
	return fits(s->all, bytes, limits->all) ? ERR_OK : ERR_FULL;
}

static enum err insert(struct db_conn *c, const char *id, uint64_t owner,
		       int64_t bytes, int64_t now, struct errmsg *why)
{
	const int64_t life = ADMISSION_SECONDS + bytes / ADMISSION_RATE;

	/* clang-format off */
	return db_tx_change(c,
		"INSERT INTO admission (id, owner, bytes, expires_at)"
		" VALUES (?, ?, ?, ?)",
		DB_IN(db_text(span_of(id)), db_uint(owner), db_int(bytes),
		      db_int(now + life)),
		why);
	/* clang-format on */
}

static enum err add(struct db_conn *c, const char *id, uint64_t owner,
		    int64_t bytes, int64_t now,
		    const struct admission_limits *limits, struct errmsg *why)
{
	struct sums s = { 0, 0, 0, 0 };
	enum err e = lock(c, why);

	if (e == ERR_OK)
		e = sum(c, owner, now, limits->owner, &s, why);
	if (e == ERR_OK && s.expired > 0)
		e = remove_expired(c, now, why);
	if (e == ERR_OK)
		e = check(&s, bytes, limits);
	return e == ERR_OK ? insert(c, id, owner, bytes, now, why) : e;
}

enum err admissions_add(struct db *db, uint64_t owner, int64_t bytes,
			int64_t now, const struct admission_limits *limits,
			char id[static IDENT_LEN + 1], struct errmsg *why)
{
	char new_id[IDENT_LEN + 1];
	struct db_conn *c;
	enum err e = db_begin(db, &c, why);

	if (e != ERR_OK)
		return e;
	ident_random(new_id);
	e = add(c, new_id, owner, bytes, now, limits, why);
	if (e != ERR_OK) {
		db_rollback(c);
		return e;
	}
	e = db_commit(c, why);
	if (e == ERR_OK)
		memcpy(id, new_id, sizeof(new_id));
	return e;
}

void admissions_end(struct db *db, const char *id)
{
	struct errmsg ignored;

	/* clang-format off */
	(void)!db_change(db,
		"DELETE FROM admission"
		" WHERE id = ?",
		DB_IN(db_text(span_of(id))), &ignored);
	/* clang-format on */
}
