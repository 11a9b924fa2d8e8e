/* user import-plaintext: hash the passwords of rows that contain plain text.
 *
 * A row is changed only if it still contains the password that was hashed, so a
 * password that its user changes at the same time is kept. Each row is changed
 * separately, so a second run continues an interrupted one.
 */
#include "cgi-auth/admin/audit_change.h"
#include "cgi-auth/admin/auth_admin.h"
#include "cgi-auth/admin/commands.h"
#include "common/admin/failure.h"
#include "common/admin/options.h"
#include "common/admin/output.h"

#include <sodium.h>

struct counts {
	int plain, hashed, unknown;
};

static void print_row(const struct user *u, const char *what)
{
	output_text(u->email, 0);
	(void)printf(" (user %llu): %s\n", (unsigned long long)u->id, what);
}

static enum err import(struct auth_admin *a, const struct user *u,
		       struct counts *c, struct errmsg *why)
{
	char hash[PASSWORD_HASH_MAX + 1];
	enum err e = password_hash(&a->passwords, u->password, hash);

	if (e != ERR_OK)
		return err_set(why, ERR_MEMORY,
			       "out of memory for the password hash; see "
			       "PASSWORD_MEMORY");
	e = users_rehash(a->db, u->id, u->password, hash, why);
	if (e == ERR_OK) {
		c->hashed++;
		audit_change(a, "password", u, "plain text hashed");
	}
	/* Changed or deleted since it was read */
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err import_all(struct auth_admin *a, bool dry, struct counts *c,
			   struct errmsg *why)
{
	struct user u = { .id = 0 };
	enum err e;

	while ((e = users_after(a->db, u.id, &u, why)) == ERR_OK) {
		enum password_kind kind = password_kind(u.password);

		if (kind == PASSWORD_UNKNOWN) {
			c->unknown++;
			print_row(&u,
				  "left as it is: neither plain text nor a "
				  "known hash; set a password with auth-admin "
				  "user passwd");
		}
		if (kind != PASSWORD_PLAIN)
			continue;
		c->plain++;
		if (dry)
			print_row(&u, "plain text");
		else
			e = import(a, &u, c, why);
		if (e != ERR_OK)
			break;
	}
	sodium_memzero(&u, sizeof(u));
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

int cmd_user_import_plaintext(int argc, char **argv)
{
	bool dry = false;
	const struct option_place options[] = {
		{ .name = "dry-run", .flag = &dry },
		{ .name = NULL },
	};
	struct counts c = { 0 };
	struct errmsg why = { "" };
	struct auth_admin a;
	int status = options_read(argc, argv, options, NULL, NULL);
	enum err e;

	if (status == 0)
		status = auth_admin_open(&a);
	if (status != 0)
		return status;
	e = import_all(&a, dry, &c, &why);
	if (dry)
		(void)printf("%d would be hashed; nothing was changed.\n",
			     c.plain);
	else
		(void)printf("%d hashed.\n", c.hashed);
	if (e != ERR_OK)
		status = admin_fail_db(e, &why);
	auth_admin_close(&a);
	return status;
}
