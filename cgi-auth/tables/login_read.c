#include "cgi-auth/tables/login_read.h"

#include "cgi-auth/tables/user_row.h"

#include <sodium.h>

static enum err read_facts(struct db *db, const struct email_spellings *s,
			   int64_t now, struct login_facts *f,
			   struct errmsg *why)
{
	int64_t admin = 0, has_factor = 0;
	enum err e;

	/* clang-format off */
	e = db_row(db,
		"SELECT " THROTTLE_COLUMNS ", " USER_COLUMNS("u") ","
		"       o.user_id IS NOT NULL, o.secret,"
		"       (SELECT COUNT(*)"
		"          FROM session s"
		"         WHERE s.user_id = u.id"
		"           AND s.kind = 'login'"
		"           AND s.revoked_at IS NULL)"
		"  FROM " THROTTLE_FROM
		"  LEFT JOIN user u"
		"    ON u.id = IF(" THROTTLE_REFUSES ", NULL,"
		"                 (SELECT id FROM user" USER_OF_EMAIL "))"
		"  LEFT JOIN otp o"
		"    ON o.user_id = u.id"
		"   AND o.confirmed_at IS NOT NULL",
		DB_IN(THROTTLE_VALUES(&f->who, now), db_int(now), db_int(now),
		      USER_OF_EMAIL_VALUES(s)),
		DB_OUT(THROTTLE_FIELDS(&f->seen), USER_FIELDS(&f->user, &admin),
		       db_to_int(&has_factor),
		       db_to_bytes(f->factor.secret, sizeof(f->factor.secret)),
		       db_to_int(&f->logins)),
		why);
	/* clang-format on */
	f->user.admin = admin != 0;
	f->factor.active = has_factor != 0;
	/* A row that is too wide is not the client's fault */
	return e == ERR_TOO_LARGE || e == ERR_NOT_FOUND ? ERR_IO : e;
}

enum err login_read(struct db *db, struct span email,
		    const struct client *client, int64_t now,
		    struct login_facts *out, struct errmsg *why)
{
	struct email_spellings s;
	enum err e = email_spell(email, &s);

	*out = (struct login_facts) { .user = { .id = 0 } };
	if (e == ERR_OK)
		e = throttle_who_init(&out->who, email, client);
	return e == ERR_OK ? read_facts(db, &s, now, out, why) : e;
}

void login_facts_wipe(struct login_facts *f)
{
	sodium_memzero(&f->factor, sizeof(f->factor));
	sodium_memzero(f->user.password, sizeof(f->user.password));
}
