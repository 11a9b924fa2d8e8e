/* email_key.h - when two emails are one: SQL and C agree here.
 *
 * The case of letters is ignored; accents are not: müller@ and muller@ are two
 * people. The column user.email_key (schema/auth/045) is the email in lower
 * case, and has a binary collation. A key is made by the database on both sides
 * of a comparison, so one version of its tables decides.
 *
 * The database does not compose characters. Emails are stored in NFC
 * (normalize.h); a row that is older than that may have another form, so a
 * search tries the email as it was given, in NFC and in NFD.
 */
#ifndef EMAIL_KEY_H
#define EMAIL_KEY_H

#include "common/base/err.h"
#include "common/base/span.h"
#include "common/codec/normalize.h"
#include "common/db/db.h"

/* The key of an SQL expression, and of a parameter. LOWER keeps a final sigma
 * (U+03C2), of which the capital is that of sigma. */
#define EMAIL_KEY_OF(text)             \
	"REPLACE(LOWER(" text "),"     \
	" CHAR(0xCF82 USING utf8mb4)," \
	" CHAR(0xCF83 USING utf8mb4)) COLLATE utf8mb4_bin"
#define EMAIL_KEY                                            \
	EMAIL_KEY_OF("CAST(? AS CHAR CHARACTER SET utf8mb4)" \
		     " COLLATE utf8mb4_unicode_ci")

/* A list of the keys of an email, for IN: EMAIL_KEYS_VALUES are its parameters
 */
#define EMAIL_KEYS "(" EMAIL_KEY ", " EMAIL_KEY ", " EMAIL_KEY ")"
#define EMAIL_KEYS_VALUES(s)                             \
	db_text((s)->given), db_text(span_of((s)->nfc)), \
		db_text(span_of((s)->nfd))

struct email_spellings {
	struct span given; /* borrowed */
	char nfc[NORMALIZE_SIZE], nfd[NORMALIZE_SIZE];
};

/* ERR_FORMAT: not UTF-8. ERR_TOO_LARGE: longer than any email. */
enum err email_spell(struct span email, struct email_spellings *out) MUST_CHECK;

#endif
