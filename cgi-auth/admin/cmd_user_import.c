/* user import-plaintext: rows from elsewhere that hold the password itself.
 *
 * A row is changed only while it holds what was hashed, so a password that its
 * user changes meanwhile is not lost; each row stands for itself, so an
 * interrupted run is continued by the next.
 */
#include "cgi-auth/admin/cmd_audit.h"
#include "cgi-auth/admin/cmd_database.h"
#include "cgi-auth/admin/cmd_report.h"
#include "cgi-auth/admin/commands.h"

#include <sodium.h>

struct tally {
	int plain, hashed, unknown;
};

static void tell(const struct user *u, const char *what)
{
	cmd_put_text(u->email, 0);
	(void)printf(" (user %llu): %s\n", (unsigned long long)u->id, what);
}

static enum err import(struct cmd_database *d, const struct user *u,
		       struct tally *t, struct errmsg *why)
{
	char hash[PASSWORD_HASH_MAX + 1];
	enum err e = password_hash(&d->passwords, u->password, hash);

	if (e != ERR_OK)
		return err_set(why, ERR_MEMORY,
			       "there is no memory to hash in; "
			       "see PASSWORD_MEMORY");
	e = users_rehash(d->db, u->id, u->password, hash, why);
	if (e == ERR_OK) {
		t->hashed++;
		cmd_audit(d, "password", u, "plain text hashed");
	}
	/* Changed or deleted since it was read */
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err import_all(struct cmd_database *d, bool dry, struct tally *t,
			   struct errmsg *why)
{
	struct user u = { .id = 0 };
	enum err e;

	while ((e = users_after(d->db, u.id, &u, why)) == ERR_OK) {
		enum password_kind kind = password_kind(u.password);

		if (kind == PASSWORD_UNKNOWN) {
			t->unknown++;
			tell(&u, "left alone: neither plain text nor a hash "
				 "that is known; set one with auth-admin user "
				 "passwd");
		}
		if (kind != PASSWORD_PLAIN)
			continue;
		t->plain++;
		if (dry)
			tell(&u, "plain text");
		else
			e = import(d, &u, t, why);
		if (e != ERR_OK)
			break;
	}
	sodium_memzero(&u, sizeof(u));
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

int cmd_user_import_plaintext(int argc, char **argv)
{
	bool dry = false;
	const struct option_place options[] = { { .name = "dry-run",
						  .flag = &dry } };
	struct tally t = { 0 };
	struct errmsg why = { "" };
	struct cmd_database d;
	int status = cmd_take_options(argc, argv, options, 1, NULL, NULL);
	enum err e;

	if (status == 0)
		status = cmd_database_open(&d);
	if (status != 0)
		return status;
	e = import_all(&d, dry, &t, &why);
	if (dry)
		(void)printf("%d would be hashed; nothing was changed.\n",
			     t.plain);
	else
		(void)printf("%d hashed.\n", t.hashed);
	if (e != ERR_OK)
		status = cmd_fail_db(e, &why);
	cmd_database_close(&d);
	return status != 0 ? status : cmd_finish_output();
}
