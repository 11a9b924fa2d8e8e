/* user totp enrol, user totp confirm, user totp reset */
#include "cgi-auth/admin/audit_change.h"
#include "cgi-auth/admin/auth_admin.h"
#include "cgi-auth/admin/commands.h"
#include "cgi-auth/tables/otp.h"
#include "common/admin/exit_status.h"
#include "common/admin/failure.h"
#include "common/admin/options.h"
#include "common/admin/output.h"

#include <qrencode.h>
#include <time.h>

enum {
	QUIET = 4, /* light modules around a QR code (ISO/IEC 18004) */
};

static bool is_dark(const QRcode *q, int x, int y)
{
	return x >= 0 && y >= 0 && x < q->width && y < q->width &&
	       (q->data[y * q->width + x] & 1) != 0;
}

/* Print a QR code. A character shows two modules, one above the other. The
 * light modules are drawn, because terminals are dark. */
static void print_qr(const QRcode *q)
{
	static const char *const blocks[2][2] = {
		{ "\342\226\210", "\342\226\200" }, /* full, upper half */
		{ "\342\226\204", " " },	    /* lower half */
	};

	for (int y = -QUIET; y < q->width + QUIET; y += 2) {
		for (int x = -QUIET; x < q->width + QUIET; x++)
			(void)fputs(
				blocks[is_dark(q, x, y)][is_dark(q, x, y + 1)],
				stdout);
		(void)putchar('\n');
		if (output_failed())
			return;
	}
}

static int enrol(struct auth_admin *a, const struct user *u)
{
	struct errmsg why = { "" };
	struct otp_secret s;
	struct buf uri;
	QRcode *q;
	enum err e = otp_enrol(a->db, u->id, time(NULL), &s, &why);

	if (e == ERR_CONFLICT)
		return admin_fail(
			EXIT_NEGATIVE,
			"%s has a second factor already; remove it with "
			"auth-admin user totp reset",
			u->email);
	if (e != ERR_OK)
		return admin_fail_db(e, &why);
	audit_change(a, "otp-enrol", u, "");
	buf_init(&uri, OTP_URI_MAX);
	otp_uri(&s, a->settings.jwt_issuer, u->email, &uri);
	buf_add_char(&uri, '\0');
	if (buf_error(&uri) != ERR_OK) {
		buf_release(&uri);
		return admin_fail(EX_OSERR, "out of memory");
	}
	(void)printf("%s\n\n", uri.p);
	q = QRcode_encodeString(uri.p, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
	if (q != NULL) /* without it, the line above is enough */
		print_qr(q);
	QRcode_free(q);
	buf_release(&uri);
	(void)printf("\nThe second factor is required once a code of it is "
		     "confirmed:\nauth-admin user totp confirm %s --code CODE, "
		     "or the user by POST /otp/confirm.\n",
		     u->email);
	(void)output_failed();
	return 0;
}

static int confirm(struct auth_admin *a, const struct user *u, const char *code)
{
	struct errmsg why = { "" };
	struct otp_recovery r;
	enum err e =
		otp_confirm(a->db, u->id, span_of(code), time(NULL), &r, &why);

	if (e == ERR_NOT_FOUND)
		return admin_fail(EXIT_NEGATIVE,
				  "%s has no secret to confirm; make one with "
				  "auth-admin user totp enrol",
				  u->email);
	if (e == ERR_OTP)
		return admin_fail(EXIT_NEGATIVE,
				  "the code is wrong or was used "
				  "already; try the next one");
	if (e != ERR_OK)
		return admin_fail_db(e, &why);
	audit_change(a, "otp-confirm", u, "ok");
	(void)printf("%s needs a code to log in from now on. Recovery codes, "
		     "each for one login\nwithout the authenticator:\n\n",
		     u->email);
	for (int i = 0; i < OTP_RECOVERY_CODES; i++)
		(void)printf("  %s\n", r.codes[i]);
	return 0;
}

static int reset(struct auth_admin *a, const struct user *u)
{
	struct errmsg why = { "" };
	enum err e = otp_remove(a->db, u->id, &why);

	if (e == ERR_NOT_FOUND)
		return admin_fail(EXIT_NEGATIVE, "%s has no second factor",
				  u->email);
	if (e != ERR_OK)
		return admin_fail_db(e, &why);
	audit_change(a, "otp-remove", u, "ok");
	(void)printf("%s logs in without a code from now on.\n", u->email);
	return 0;
}

/* Run a command whose only argument is an email */
static int open_and_run(int argc, char **argv,
			int (*change)(struct auth_admin *a,
				      const struct user *u))
{
	const char *email;
	struct auth_admin a;
	struct user u;
	int status = options_read(argc, argv, NULL, "EMAIL", &email);

	if (status == 0)
		status = auth_admin_open_user(&a, email, &u);
	if (status != 0)
		return status;
	status = change(&a, &u);
	auth_admin_close(&a);
	return status;
}

int cmd_user_totp_enrol(int argc, char **argv)
{
	return open_and_run(argc, argv, enrol);
}

int cmd_user_totp_reset(int argc, char **argv)
{
	return open_and_run(argc, argv, reset);
}

int cmd_user_totp_confirm(int argc, char **argv)
{
	const char *code = "", *email;
	const struct option_place options[] = {
		{ .name = "code", .value = &code },
		{ .name = NULL },
	};
	struct auth_admin a;
	struct user u;
	int status = options_read(argc, argv, options, "EMAIL", &email);

	if (status == 0)
		status = auth_admin_open_user(&a, email, &u);
	if (status != 0)
		return status;
	status = confirm(&a, &u, code);
	auth_admin_close(&a);
	return status;
}
