#include "cgi-auth/tables/otp.h"

#include "common/codec/digest.h"
#include "common/codec/encode.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
	RECOVERY_BYTES = 10,
	RECOVERY_CHARS = 16, /* base32 characters of them */
	RECOVERY_GROUP = 4,
};

static bool is_digits(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.len == OTP_DIGITS;
}

/* The code in upper case, without dashes and blanks; false if that is not
 * RECOVERY_CHARS characters of base32 */
static bool normalize_recovery(struct span code,
			       char out[static RECOVERY_CHARS])
{
	size_t n = 0;

	for (size_t i = 0; i < code.len; i++) {
		char c = code.p[i];

		if (c == '-' || c == ' ')
			continue;
		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		if (!((c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7')) ||
		    n == RECOVERY_CHARS)
			return false;
		out[n++] = c;
	}
	return n == RECOVERY_CHARS;
}

static enum err judge_recovery(struct span code, struct otp_use *out)
{
	char plain[RECOVERY_CHARS];

	if (!normalize_recovery(code, plain))
		return ERR_OTP;
	sha256_of((struct span) { plain, sizeof(plain) }, out->recovery);
	sodium_memzero(plain, sizeof(plain));
	out->kind = OTP_USE_RECOVERY;
	return ERR_OK;
}

enum err otp_judge(const struct otp_factor *f, struct span code, int64_t now,
		   struct otp_use *out)
{
	enum err e;

	*out = (struct otp_use) { .kind = OTP_USE_NOTHING };
	if (!f->active)
		return ERR_OK;
	code = span_trim(code);
	if (code.len == 0)
		return ERR_OTP_REQUIRED;
	if (code.len > OTP_CODE_MAX)
		return ERR_OTP;
	if (!is_digits(code))
		return judge_recovery(code, out);
	e = otp_find_step(f->secret, code, now, &out->step);
	if (e == ERR_OK)
		out->kind = OTP_USE_STEP;
	return e;
}

/* By the secret too: another enrolment may have replaced it meanwhile */
/* clang-format off */
#define USE_STEP                          \
	"UPDATE otp"                      \
	"   SET last_step = ?"            \
	" WHERE user_id = ?"              \
	"   AND secret = ?"               \
	"   AND last_step < ?"            \
	"   AND confirmed_at IS NOT NULL"
#define USE_RECOVERY                      \
	"DELETE FROM otp_recovery"        \
	" WHERE user_id = ?"              \
	"   AND hash = ?"
/* clang-format on */

enum err otp_use_within(struct db_conn *c, uint64_t user_id,
			const struct otp_factor *f, const struct otp_use *use,
			struct errmsg *why)
{
	struct span secret = { (const char *)f->secret, sizeof(f->secret) };
	struct span hash = { (const char *)use->recovery,
			     sizeof(use->recovery) };
	enum err e;

	if (use->kind == OTP_USE_NOTHING)
		return ERR_OK;
	if (use->kind == OTP_USE_STEP)
		e = db_tx_change(c, USE_STEP,
				 DB_IN(db_int(use->step), db_uint(user_id),
				       db_bytes(secret), db_int(use->step)),
				 why);
	else
		e = db_tx_change(c, USE_RECOVERY,
				 DB_IN(db_uint(user_id), db_bytes(hash)), why);
	return e == ERR_NOT_FOUND ? ERR_OTP : e;
}

static enum err use_code(struct db *db, uint64_t user_id,
			 const struct otp_factor *f, const struct otp_use *use,
			 struct errmsg *why)
{
	struct db_conn *c;
	enum err e = db_begin(db, &c, why);

	if (e != ERR_OK)
		return e;
	e = otp_use_within(c, user_id, f, use, why);
	if (e == ERR_OK)
		return db_commit(c, why);
	db_rollback(c);
	return e;
}

enum err otp_check_strict(struct db *db, uint64_t user_id, struct span code,
			  int64_t now, struct errmsg *why)
{
	struct otp_factor f = { .active = true };
	struct otp_use use;
	enum err e;

	/* clang-format off */
	e = db_row(db,
		"SELECT secret"
		"  FROM otp"
		" WHERE user_id = ?"
		"   AND confirmed_at IS NOT NULL",
		DB_IN(db_uint(user_id)),
		DB_OUT(db_to_bytes(f.secret, sizeof(f.secret))),
		why);
	/* clang-format on */
	if (e != ERR_OK)
		return e;
	e = otp_judge(&f, code, now, &use);
	if (e == ERR_OK)
		e = use_code(db, user_id, &f, &use, why);
	sodium_memzero(&f, sizeof(f));
	return e;
}

enum err otp_check(struct db *db, uint64_t user_id, struct span code,
		   int64_t now, struct errmsg *why)
{
	enum err e = otp_check_strict(db, user_id, code, now, why);

	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err otp_enrol(struct db *db, uint64_t user_id, int64_t now,
		   struct otp_secret *out, struct errmsg *why)
{
	unsigned char secret[OTP_SECRET];
	struct span bytes = { (char *)secret, sizeof(secret) };
	struct otp_secret s = { "" };
	enum err e;

	randombytes_buf(secret, sizeof(secret));
	if (otp_base32(secret, sizeof(secret), s.text) != ERR_OK) {
		sodium_memzero(secret, sizeof(secret));
		return err_set(why, ERR_MEMORY, "out of memory");
	}
	/* clang-format off */
	e = db_change(db,
		"UPDATE otp"
		"   SET secret = ?, last_step = 0, created_at = ?"
		" WHERE user_id = ?"
		"   AND confirmed_at IS NULL",
		DB_IN(db_bytes(bytes), db_int(now), db_uint(user_id)),
		why);
	if (e == ERR_NOT_FOUND)
		e = db_change(db,
			"INSERT INTO otp"
			" (user_id, secret, last_step, created_at)"
			" VALUES (?, ?, 0, ?)",
			DB_IN(db_uint(user_id), db_bytes(bytes), db_int(now)),
			why);
	/* clang-format on */
	if (e == ERR_OK)
		*out = s;
	sodium_memzero(&s, sizeof(s));
	sodium_memzero(secret, sizeof(secret));
	return e;
}

static enum err new_recovery_code(struct db_conn *c, uint64_t user_id,
				  char out[static OTP_RECOVERY_TEXT + 1],
				  struct errmsg *why)
{
	unsigned char random[RECOVERY_BYTES], hash[SHA256_LEN];
	char plain[RECOVERY_CHARS + 1];
	size_t n = 0;

	randombytes_buf(random, sizeof(random));
	if (otp_base32(random, sizeof(random), plain) != ERR_OK)
		return err_set(why, ERR_MEMORY, "out of memory");
	sha256_of((struct span) { plain, RECOVERY_CHARS }, hash);
	for (size_t i = 0; i < RECOVERY_CHARS; i++) {
		char ch = plain[i];

		if (i > 0 && i % RECOVERY_GROUP == 0)
			out[n++] = '-';
		out[n++] = ch >= 'A' ? (char)(ch - 'A' + 'a') : ch;
	}
	out[n] = '\0';
	/* clang-format off */
	return db_tx_change(c,
		"INSERT INTO otp_recovery (user_id, hash)"
		" VALUES (?, ?)",
		DB_IN(db_uint(user_id),
		      db_bytes((struct span) { (char *)hash, sizeof(hash) })),
		why);
	/* clang-format on */
}

/* Those of an earlier factor; ERR_OK also if there are none */
static enum err delete_recovery(struct db_conn *c, uint64_t user_id,
				struct errmsg *why)
{
	enum err e =
		db_tx_change(c, "DELETE FROM otp_recovery WHERE user_id = ?",
			     DB_IN(db_uint(user_id)), why);

	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* In one transaction: a factor in force always has its recovery codes. *out is
 * filled once they are committed. */
static enum err activate(struct db *db, uint64_t user_id, int64_t step,
			 struct span secret, int64_t now,
			 struct otp_recovery *out, struct errmsg *why)
{
	struct otp_recovery fresh = { .codes = { "" } };
	struct db_conn *c;
	enum err e = db_begin(db, &c, why);

	if (e != ERR_OK)
		return e;
	/* By the secret too: another enrolment may have replaced it meanwhile
	 */
	/* clang-format off */
	e = db_tx_change(c,
		"UPDATE otp"
		"   SET confirmed_at = ?, last_step = ?"
		" WHERE user_id = ?"
		"   AND secret = ?"
		"   AND confirmed_at IS NULL",
		DB_IN(db_int(now), db_int(step), db_uint(user_id),
		      db_bytes(secret)),
		why);
	/* clang-format on */
	if (e == ERR_OK)
		e = delete_recovery(c, user_id, why);
	for (int i = 0; e == ERR_OK && i < OTP_RECOVERY_CODES; i++)
		e = new_recovery_code(c, user_id, fresh.codes[i], why);
	if (e == ERR_OK)
		e = db_commit(c, why);
	else
		db_rollback(c);
	if (e == ERR_OK)
		*out = fresh;
	sodium_memzero(&fresh, sizeof(fresh));
	return e;
}

enum err otp_confirm(struct db *db, uint64_t user_id, struct span code,
		     int64_t now, struct otp_recovery *out, struct errmsg *why)
{
	unsigned char secret[OTP_SECRET];
	int64_t step = 0;
	enum err e;

	/* clang-format off */
	e = db_row(db,
		"SELECT secret"
		"  FROM otp"
		" WHERE user_id = ?"
		"   AND confirmed_at IS NULL",
		DB_IN(db_uint(user_id)),
		DB_OUT(db_to_bytes(secret, sizeof(secret))),
		why);
	/* clang-format on */
	if (e != ERR_OK)
		return e;
	code = span_trim(code);
	e = is_digits(code) ? otp_find_step(secret, code, now, &step) : ERR_OTP;
	if (e == ERR_OK)
		e = activate(db, user_id, step,
			     (struct span) { (char *)secret, sizeof(secret) },
			     now, out, why);
	sodium_memzero(secret, sizeof(secret));
	return e;
}

enum err otp_remove(struct db *db, uint64_t user_id, struct errmsg *why)
{
	struct db_conn *c;
	enum err e = db_begin(db, &c, why);

	if (e != ERR_OK)
		return e;
	e = db_tx_change(c, "DELETE FROM otp WHERE user_id = ?",
			 DB_IN(db_uint(user_id)), why);
	if (e == ERR_OK)
		e = delete_recovery(c, user_id, why);
	if (e == ERR_OK)
		return db_commit(c, why);
	db_rollback(c);
	return e;
}
