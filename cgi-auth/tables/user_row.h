/* user_row.h - inside tables: the columns of a row of `user`, for statements that
 * read it together with others. */
#ifndef USER_ROW_H
#define USER_ROW_H

#include "cgi-auth/tables/email_key.h"
#include "cgi-auth/tables/users.h"

/* clang-format off */
#define USER_COLUMNS(u)                                                    \
	u ".id, " u ".email, " u ".password, " u ".admin, " u ".scope, "   \
	u ".created_at, " u ".disabled_at, " u ".password_changed_at"

/* Their outputs; `admin` is read as a number */
#define USER_FIELDS(u, is_admin)                                           \
	db_to_uint(&(u)->id), db_to_text((u)->email, sizeof((u)->email)),  \
		db_to_text((u)->password, sizeof((u)->password)),          \
		db_to_int(is_admin),                                       \
		db_to_text((u)->scope, sizeof((u)->scope)),                \
		db_to_int(&(u)->created_at),                               \
		db_to_int_or(&(u)->disabled_at, USER_ENABLED),             \
		db_to_int(&(u)->password_changed_at)

/* The row of an email. Two rows that are older than the rule may differ in their
 * form only: then each is found by its own. */
#define USER_OF_EMAIL                                                      \
	" WHERE email_key IN " EMAIL_KEYS                                  \
	" ORDER BY email_key = " EMAIL_KEY " DESC,"                        \
	"          email_key = " EMAIL_KEY " DESC"                         \
	" LIMIT 1"
#define USER_OF_EMAIL_VALUES(s)                                            \
	EMAIL_KEYS_VALUES(s), db_text((s)->given), db_text(span_of((s)->nfc))
/* clang-format on */

#endif
