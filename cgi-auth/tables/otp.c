#include "cgi-auth/tables/otp.h"

#include "common/codec/digest.h"
#include "common/codec/encode.h"

#include <liboath/oath.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
	RECOVERY_BYTES = 10,
	RECOVERY_CHARS = 16, /* base32 characters of them */
	RECOVERY_GROUP = 4,
};

static void start_oath(void)
{
	(void)oath_init(); /* cannot fail without libgcrypt; codes tell */
}

enum err otp_code(const unsigned char secret[static OTP_SECRET], int64_t step,
		  char out[static OTP_DIGITS + 1])
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, start_oath);
	if (oath_hotp_generate((const char *)secret, OTP_SECRET, (uint64_t)step,
			       OTP_DIGITS, false, OATH_HOTP_DYNAMIC_TRUNCATION,
			       out) != OATH_OK)
		return ERR_MEMORY;
	return ERR_OK;
}

static bool is_digits(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.len == OTP_DIGITS;
}

/* The latest step around `now` that `code` is of. All are computed, whichever
 * it is. ERR_OTP */
static enum err find_step(const unsigned char *secret, struct span code,
			  int64_t now, int64_t *step)
{
	const int64_t at = now / OTP_STEP;
	int64_t found = -1;
	char want[OTP_DIGITS + 1];
	enum err e;

	for (int64_t i = at - OTP_WINDOW; i <= at + OTP_WINDOW; i++) {
		e = otp_code(secret, i, want);
		if (e != ERR_OK)
			return e;
		if (digest_equal(code, (struct span) { want, OTP_DIGITS }))
			found = i;
	}
	sodium_memzero(want, sizeof(want));
	if (found < 0)
		return ERR_OTP;
	*step = found;
	return ERR_OK;
}

static enum err use_code(struct db *db, uint64_t user_id,
			 const unsigned char *secret, struct span code,
			 int64_t now, struct errmsg *why)
{
	int64_t step = 0;
	enum err e = find_step(secret, code, now, &step);

	if (e != ERR_OK)
		return e;
	e = db_change(db,
		      "UPDATE otp SET last_step = ? WHERE user_id = ? "
		      "AND last_step < ? AND confirmed_at IS NOT NULL",
		      DB_IN(db_int(step), db_uint(user_id), db_int(step)), why);
	return e == ERR_NOT_FOUND ? ERR_OTP : e;
}

/* Letters, digits 2 to 7 and nothing else, in upper case */
static bool plain_recovery(struct span code, char out[static RECOVERY_CHARS])
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

static enum err use_recovery(struct db *db, uint64_t user_id, struct span code,
			     struct errmsg *why)
{
	unsigned char hash[SHA256_LEN];
	char plain[RECOVERY_CHARS];
	enum err e;

	if (!plain_recovery(code, plain))
		return ERR_OTP;
	sha256_of((struct span) { plain, sizeof(plain) }, hash);
	sodium_memzero(plain, sizeof(plain));
	e = db_change(
		db, "DELETE FROM otp_recovery WHERE user_id = ? AND hash = ?",
		DB_IN(db_uint(user_id),
		      db_bytes((struct span) { (char *)hash, sizeof(hash) })),
		why);
	return e == ERR_NOT_FOUND ? ERR_OTP : e;
}

enum err otp_check_strict(struct db *db, uint64_t user_id, struct span code,
			  int64_t now, struct errmsg *why)
{
	unsigned char secret[OTP_SECRET];
	enum err e = db_row(db,
			    "SELECT secret FROM otp WHERE user_id = ? "
			    "AND confirmed_at IS NOT NULL",
			    DB_IN(db_uint(user_id)),
			    DB_OUT(db_to_bytes(secret, sizeof(secret))), why);

	if (e != ERR_OK)
		return e;
	code = span_trim(code);
	if (code.len == 0)
		e = ERR_OTP_REQUIRED;
	else if (code.len > OTP_CODE_MAX)
		e = ERR_OTP;
	else if (is_digits(code))
		e = use_code(db, user_id, secret, code, now, why);
	else
		e = use_recovery(db, user_id, code, why);
	sodium_memzero(secret, sizeof(secret));
	return e;
}

enum err otp_check(struct db *db, uint64_t user_id, struct span code,
		   int64_t now, struct errmsg *why)
{
	enum err e = otp_check_strict(db, user_id, code, now, why);

	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Base32 (RFC 4648 6) into `out`, of (len / 5 * 8 + 1) bytes. `len` is a
 * multiple of five, so there is no padding. ERR_MEMORY. */
static enum err base32(const unsigned char *bytes, size_t len, char *out)
{
	char *text = NULL;
	size_t n = 0;

	if (oath_base32_encode((const char *)bytes, len, &text, &n) != OATH_OK)
		return ERR_MEMORY;
	memcpy(out, text, n + 1);
	sodium_memzero(text, n);
	free(text);
	return ERR_OK;
}

enum err otp_enrol(struct db *db, uint64_t user_id, int64_t now,
		   struct otp_secret *out, struct errmsg *why)
{
	unsigned char secret[OTP_SECRET];
	struct span bytes = { (char *)secret, sizeof(secret) };
	struct otp_secret s = { "" };
	enum err e;

	randombytes_buf(secret, sizeof(secret));
	if (base32(secret, sizeof(secret), s.text) != ERR_OK) {
		sodium_memzero(secret, sizeof(secret));
		return err_set(why, ERR_MEMORY, "out of memory");
	}
	e = db_change(db,
		      "UPDATE otp SET secret = ?, last_step = 0, "
		      "created_at = ? WHERE user_id = ? "
		      "AND confirmed_at IS NULL",
		      DB_IN(db_bytes(bytes), db_int(now), db_uint(user_id)),
		      why);
	if (e == ERR_NOT_FOUND)
		e = db_change(
			db,
			"INSERT INTO otp (user_id, secret, last_step, "
			"created_at) VALUES (?, ?, 0, ?)",
			DB_IN(db_uint(user_id), db_bytes(bytes), db_int(now)),
			why);
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
	if (base32(random, sizeof(random), plain) != ERR_OK)
		return err_set(why, ERR_MEMORY, "out of memory");
	sha256_of((struct span) { plain, RECOVERY_CHARS }, hash);
	for (size_t i = 0; i < RECOVERY_CHARS; i++) {
		char ch = plain[i];

		if (i > 0 && i % RECOVERY_GROUP == 0)
			out[n++] = '-';
		out[n++] = ch >= 'A' ? (char)(ch - 'A' + 'a') : ch;
	}
	out[n] = '\0';
	return db_tx_change(
		c, "INSERT INTO otp_recovery (user_id, hash) VALUES (?, ?)",
		DB_IN(db_uint(user_id),
		      db_bytes((struct span) { (char *)hash, sizeof(hash) })),
		why);
}

/* In one transaction: a factor in force always has its recovery codes */
static enum err put_in_force(struct db *db, uint64_t user_id, int64_t step,
			     struct span secret, int64_t now,
			     struct otp_recovery *out, struct errmsg *why)
{
	struct db_conn *c;
	enum err e = db_begin(db, &c, why);

	if (e != ERR_OK)
		return e;
	/* The secret too: another enrolment may have replaced it meanwhile */
	e = db_tx_change(c,
			 "UPDATE otp SET confirmed_at = ?, last_step = ? "
			 "WHERE user_id = ? AND secret = ? "
			 "AND confirmed_at IS NULL",
			 DB_IN(db_int(now), db_int(step), db_uint(user_id),
			       db_bytes(secret)),
			 why);
	if (e == ERR_OK)
		e = db_tx_change(c,
				 "DELETE FROM otp_recovery WHERE user_id = ?",
				 DB_IN(db_uint(user_id)), why);
	if (e == ERR_NOT_FOUND) /* no codes of an earlier factor */
		e = ERR_OK;
	for (int i = 0; e == ERR_OK && i < OTP_RECOVERY_CODES; i++)
		e = new_recovery_code(c, user_id, out->codes[i], why);
	if (e == ERR_OK)
		return db_commit(c, why);
	db_rollback(c);
	return e;
}

enum err otp_confirm(struct db *db, uint64_t user_id, struct span code,
		     int64_t now, struct otp_recovery *out, struct errmsg *why)
{
	unsigned char secret[OTP_SECRET];
	int64_t step = 0;
	enum err e = db_row(db,
			    "SELECT secret FROM otp WHERE user_id = ? "
			    "AND confirmed_at IS NULL",
			    DB_IN(db_uint(user_id)),
			    DB_OUT(db_to_bytes(secret, sizeof(secret))), why);

	if (e != ERR_OK)
		return e;
	code = span_trim(code);
	e = is_digits(code) ? find_step(secret, code, now, &step) : ERR_OTP;
	if (e == ERR_OK)
		e = put_in_force(
			db, user_id, step,
			(struct span) { (char *)secret, sizeof(secret) }, now,
			out, why);
	sodium_memzero(secret, sizeof(secret));
	return e;
}

enum err otp_remove(struct db *db, uint64_t user_id, struct errmsg *why)
{
	struct db_conn *c;
	enum err e = db_begin(db, &c, why), codes;

	if (e != ERR_OK)
		return e;
	e = db_tx_change(c, "DELETE FROM otp WHERE user_id = ?",
			 DB_IN(db_uint(user_id)), why);
	codes = db_tx_change(c, "DELETE FROM otp_recovery WHERE user_id = ?",
			     DB_IN(db_uint(user_id)), why);
	if (e == ERR_OK && codes != ERR_NOT_FOUND)
		e = codes;
	if (e == ERR_OK)
		return db_commit(c, why);
	db_rollback(c);
	return e;
}

void otp_uri(const struct otp_secret *s, const char *issuer, const char *email,
	     struct buf *out)
{
	buf_add_str(out, "otpauth://totp/");
	percent_encode(span_of(issuer), out);
	buf_add_char(out, ':');
	percent_encode(span_of(email), out);
	buf_printf(out, "?secret=%s&issuer=", s->text);
	percent_encode(span_of(issuer), out);
	buf_printf(out, "&algorithm=SHA1&digits=%d&period=%d", OTP_DIGITS,
		   OTP_STEP);
}
