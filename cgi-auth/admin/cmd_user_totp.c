/* user totp enrol, user totp confirm, user totp reset */
#include "cgi-auth/admin/cmd_audit.h"
#include "cgi-auth/admin/cmd_database.h"
#include "cgi-auth/admin/cmd_report.h"
#include "cgi-auth/admin/commands.h"
#include "cgi-auth/tables/otp.h"

#include <qrencode.h>
#include <string.h>
#include <time.h>

enum {
	QUIET = 4, /* light modules around a QR code (ISO/IEC 18004) */
};

typedef int totp_fn(struct cmd_database *d, const struct user *u,
		    const char *code);

static bool is_dark(const QRcode *q, int x, int y)
{
	return x >= 0 && y >= 0 && x < q->width && y < q->width &&
	       (q->data[y * q->width + x] & 1) != 0;
}

/* Two modules a character, one above the other; light ones are drawn, as
 * terminals are dark. */
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
	}
}

static int enrol(struct cmd_database *d, const struct user *u, const char *code)
{
	struct errmsg why = { "" };
	struct otp_secret s;
	struct buf uri;
	QRcode *q;
	enum err e = otp_enrol(d->db, u->id, time(NULL), &s, &why);

	(void)code;
	if (e == ERR_CONFLICT)
		return cmd_fail(EXIT_REFUSED,
				"%s has a second factor; auth-admin user totp "
				"reset takes it away",
				u->email);
	if (e != ERR_OK)
		return cmd_fail_db(e, &why);
	buf_init(&uri, OTP_URI_MAX);
	otp_uri(&s, d->settings.jwt_issuer, u->email, &uri);
	buf_add_char(&uri, '\0');
	if (buf_error(&uri) != ERR_OK) {
		buf_release(&uri);
		return cmd_fail(EX_OSERR, "there is no memory");
	}
	(void)printf("%s\n\n", uri.p);
	q = QRcode_encodeString(uri.p, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
	if (q != NULL) /* without it the line above does */
		print_qr(q);
	QRcode_free(q);
	buf_release(&uri);
	(void)printf("\nIt has force when a code of it has been shown: "
		     "auth-admin user totp confirm\n%s --code CODE, or POST "
		     "/otp/confirm by the user.\n",
		     u->email);
	cmd_audit(d, "otp-enrol", u, "");
	return 0;
}

static int confirm(struct cmd_database *d, const struct user *u,
		   const char *code)
{
	struct errmsg why = { "" };
	struct otp_recovery r;
	enum err e =
		otp_confirm(d->db, u->id, span_of(code), time(NULL), &r, &why);

	if (e == ERR_NOT_FOUND)
		return cmd_fail(EXIT_REFUSED,
				"%s has no secret to confirm; auth-admin user "
				"totp enrol makes one",
				u->email);
	if (e == ERR_OTP)
		return cmd_fail(EXIT_REFUSED, "that is not a code of now; "
					      "try the next one");
	if (e != ERR_OK)
		return cmd_fail_db(e, &why);
	(void)printf("%s logs in with a code from now on. Codes for the day "
		     "when the\nauthenticator is lost, each good for once:\n\n",
		     u->email);
	for (int i = 0; i < OTP_RECOVERY_CODES; i++)
		(void)printf("  %s\n", r.codes[i]);
	cmd_audit(d, "otp-confirm", u, "ok");
	return 0;
}

static int reset(struct cmd_database *d, const struct user *u, const char *code)
{
	struct errmsg why = { "" };
	enum err e = otp_remove(d->db, u->id, &why);

	(void)code;
	if (e == ERR_NOT_FOUND)
		return cmd_fail(EXIT_REFUSED, "%s has no second factor",
				u->email);
	if (e != ERR_OK)
		return cmd_fail_db(e, &why);
	(void)printf("%s logs in without a code.\n", u->email);
	cmd_audit(d, "otp-remove", u, "ok");
	return 0;
}

static int act(int argc, char **argv, totp_fn *how)
{
	const char *code = "", *email;
	const struct option_place options[] = { { .name = "code",
						  .value = &code } };
	struct cmd_database d;
	struct user u;
	int status = cmd_take_options(argc, argv, options, how == confirm,
				      "EMAIL", &email);

	if (status == 0)
		status = cmd_database_open(&d);
	if (status != 0)
		return status;
	status = cmd_database_find(&d, email, &u);
	if (status == 0)
		status = how(&d, &u, code);
	cmd_database_close(&d);
	return status != 0 ? status : cmd_finish_output();
}

int cmd_user_totp(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	totp_fn *how = NULL;

	if (strcmp(verb, "enrol") == 0)
		how = enrol;
	else if (strcmp(verb, "confirm") == 0)
		how = confirm;
	else if (strcmp(verb, "reset") == 0)
		how = reset;
	if (how == NULL)
		return cmd_fail(EX_USAGE,
				"%s: say enrol, confirm or reset; "
				"see auth-admin user totp --help",
				argv[0]);
	argv[1] = argv[0];
	return act(argc - 1, argv + 1, how);
}
