#include "cgi-auth/tables/email_key.h"

enum err email_spell(struct span email, struct email_spellings *out)
{
	enum err e = normalize(email, NORMAL_NFC, out->nfc);

	out->given = email;
	return e == ERR_OK ? normalize(email, NORMAL_NFD, out->nfd) : e;
}
