#include "cgi-auth/tables/audit.h"

#include "cgi-auth/tables/email_key.h"
#include "common/codec/encode.h"

#include <sodium.h>

/* At most `max` bytes, and only whole characters */
static struct span cut(const char *text, size_t max)
{
	struct span s = span_of(text);

	if (s.len <= max)
		return s;
	for (s.len = max; s.len > 0 && !utf8_valid(s); s.len--)
		;
	return s;
}

static enum err delete_old(struct db *db, int64_t before, struct errmsg *why)
{
	enum err e;

	/* clang-format off */
	e = db_change(db,
		"DELETE FROM audit"
		" WHERE at < ?"
		" ORDER BY at"
		" LIMIT ?",
		DB_IN(db_int(before), db_int(AUDIT_SWEEP)),
		why);
	/* clang-format on */
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* clang-format off */
#define INSERT                                                           \
	"INSERT INTO audit"                                              \
	" (at, event, user_id, email, address, request_id, detail)"      \
	" VALUES (?, ?, ?, ?, ?, ?, ?)"
#define INSERT_VALUES(e, now)                                            \
	db_int(now), db_text(cut((e)->event, AUDIT_EVENT_MAX)),          \
		(e)->user_id != 0 ? db_uint((e)->user_id) : db_null(),   \
		db_text(cut((e)->email, AUDIT_EMAIL_MAX)),               \
		db_text(cut((e)->address, AUDIT_ADDRESS_MAX)),           \
		db_text(cut((e)->request_id, AUDIT_REQUEST_MAX)),        \
		db_text(cut((e)->detail, AUDIT_DETAIL_MAX))
/* clang-format on */

enum err audit_sweep(struct db *db, int64_t now, int64_t days,
		     struct errmsg *why)
{
	if (randombytes_uniform(AUDIT_SWEEP_EVERY) != 0)
		return ERR_OK;
	return delete_old(db, now - days * 86400, why);
}

enum err audit_add_within(struct db_conn *c, const struct audit_entry *e,
			  int64_t now, struct errmsg *why)
{
	return db_tx_change(c, INSERT, DB_IN(INSERT_VALUES(e, now)), why);
}

enum err audit_add(struct db *db, const struct audit_entry *e, int64_t now,
		   int64_t days, struct errmsg *why)
{
	enum err result =
		db_change(db, INSERT, DB_IN(INSERT_VALUES(e, now)), why);

	return result == ERR_OK ? audit_sweep(db, now, days, why) : result;
}

struct walk {
	struct audit_row row;
	audit_each_fn *each;
	void *arg;
};

static enum err each_entry(void *arg)
{
	struct walk *w = arg;

	return w->each(&w->row, w->arg);
}

enum err audit_last(struct db *db, const char *email, int64_t count,
		    audit_each_fn *each, void *arg, struct errmsg *why)
{
	struct walk w = { .each = each, .arg = arg };
	struct audit_row *r = &w.row;
	struct email_spellings s;

	if (email_spell(span_of(email), &s) != ERR_OK)
		return ERR_OK; /* no row has such an email */
	/* The column ignores accents: its index finds a few rows too many */
	/* clang-format off */
	return db_each(db,
		"SELECT *"
		"  FROM (SELECT id, at, user_id, event, email, address,"
		"               request_id, detail"
		"          FROM audit"
		"         WHERE ? = ''"
		"            OR (email IN (?, ?, ?)"
		"                AND " EMAIL_KEY_OF("email") " IN " EMAIL_KEYS ")"
		"         ORDER BY id DESC"
		"         LIMIT ?) last"
		" ORDER BY id",
		DB_IN(db_text(s.given), EMAIL_KEYS_VALUES(&s),
		      EMAIL_KEYS_VALUES(&s), db_int(count)),
		DB_OUT(db_to_int(&r->id), db_to_int(&r->at),
		       db_to_uint(&r->user_id),
		       db_to_text(r->event, sizeof(r->event)),
		       db_to_text(r->email, sizeof(r->email)),
		       db_to_text(r->address, sizeof(r->address)),
		       db_to_text(r->request_id, sizeof(r->request_id)),
		       db_to_text(r->detail, sizeof(r->detail))),
		each_entry, &w, why);
	/* clang-format on */
}
