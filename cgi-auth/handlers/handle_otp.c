/* POST /otp, POST /otp/confirm, DELETE /otp: the second factor of the token's
 * user. It is in force once a code has shown that an authenticator has the
 * secret; removing it needs a code. */
#include "cgi-auth/app/audit_note.h"
#include "cgi-auth/app/password_attempt.h"
#include "cgi-auth/tables/otp.h"
#include "common/http/body.h"

#include <sodium.h>

static enum err answer_secret(struct auth *a, const struct request *rq,
			      const struct otp_secret *s, struct response *rs)
{
	struct json_object *o = json_object_new_object();
	struct buf uri;
	enum err e;

	if (o == NULL)
		return ERR_MEMORY;
	buf_init(&uri, OTP_URI_MAX);
	otp_uri(s, a->service->settings.jwt_issuer, rq->claims.email, &uri);
	e = buf_error(&uri);
	json_set_str(o, "secret", s->text);
	json_set_span(o, "uri", buf_span(&uri));
	if (e == ERR_OK)
		e = response_json(rs, 200, o);
	json_object_put(o);
	buf_release(&uri);
	return e;
}

enum err handle_otp_enrol(void *app, struct request *rq, struct response *rs)
{
	struct auth *a = app;
	struct otp_secret s;
	enum err e = otp_enrol(a->service->db, rq->claims.user_id, rq->now, &s,
			       &rs->why);

	if (e == ERR_CONFLICT)
		return response_explain(
			rs, e,
			"A second factor is in force. Remove it "
			"first: DELETE /otp with one of its "
			"codes.");
	if (e != ERR_OK)
		return e;
	audit_note_caller(a, rq, "otp-enrol", "");
	e = answer_secret(a, rq, &s, rs);
	sodium_memzero(&s, sizeof(s));
	return e;
}

static enum err answer_codes(const struct otp_recovery *r, struct response *rs)
{
	struct json_object *o = json_object_new_object();
	struct json_object *list = json_add_array(o, "recovery_codes");
	enum err e = list != NULL ? ERR_OK : ERR_MEMORY;

	for (int i = 0; e == ERR_OK && i < OTP_RECOVERY_CODES; i++)
		e = json_append(list, json_object_new_string(r->codes[i]));
	if (e == ERR_OK)
		e = response_json(rs, 200, o);
	json_object_put(o);
	return e;
}

/* The member "code" of the body */
static enum err read_code(struct request *rq, struct response *rs,
			  char out[static OTP_CODE_MAX + 1])
{
	static const char *const members[] = { "code", NULL };
	struct json_object *o = NULL;
	enum err e = body_json(rq, rs, members, &o);

	if (e != ERR_OK)
		return e;
	e = body_text(o, "code", out, OTP_CODE_MAX + 1, rs);
	json_object_put(o);
	return e;
}

/* Not 401 as at the login: the token is valid, and a browser would ask for a
 * password */
static enum err refuse_code(struct auth *a, const struct request *rq,
			    const char *event, struct response *rs)
{
	audit_note_caller(a, rq, event, "invalid-otp");
	return response_explain(rs, ERR_INVALID,
				"The code is wrong, too old, or already used. "
				"Wait for the next one.");
}

enum err handle_otp_confirm(void *app, struct request *rq, struct response *rs)
{
	struct auth *a = app;
	char code[OTP_CODE_MAX + 1];
	struct otp_recovery r;
	enum err e = read_code(rq, rs, code);

	if (e != ERR_OK)
		return e;
	e = otp_confirm(a->service->db, rq->claims.user_id, span_of(code),
			rq->now, &r, &rs->why);
	if (e == ERR_NOT_FOUND)
		return response_explain(rs, ERR_CONFLICT,
					"No second factor waits for "
					"confirmation. POST /otp first.");
	if (e == ERR_OTP)
		return refuse_code(a, rq, "otp-confirm", rs);
	if (e != ERR_OK)
		return e;
	audit_note_caller(a, rq, "otp-confirm", "ok");
	e = answer_codes(&r, rs);
	sodium_memzero(&r, sizeof(r));
	return e;
}

/* From the header X-OTP or the body: some proxies drop the body of a DELETE */
static enum err read_removal_code(struct request *rq, struct response *rs,
				  char out[static OTP_CODE_MAX + 1])
{
	struct span header = request_header(rq, "X-OTP");
	enum err e;

	if (header.len == 0)
		return rq->content_length > 0 ? read_code(rq, rs, out)
					      : ERR_OTP_REQUIRED;
	e = body_unused(rq, rs);
	if (e != ERR_OK)
		return e;
	return span_to_cstr(header, out, OTP_CODE_MAX + 1) ? ERR_OK : ERR_OTP;
}

/* The code of a stolen token's user could be guessed here, so attempts are
 * counted like logins */
static enum err check_throttled(struct auth *a, struct request *rq,
				const char *code, struct response *rs)
{
	struct throttle_ticket ticket;
	enum err e = password_attempt_begin(a, rq, span_of(rq->claims.email),
					    &ticket, rs);

	if (e != ERR_OK)
		return e;
	e = otp_check_strict(a->service->db, rq->claims.user_id, span_of(code),
			     rq->now, &rs->why);
	/* A right code alone is not a login: the address does not become known
	 */
	password_attempt_end(a, rq, &ticket,
			     e == ERR_OTP ? e : ERR_OTP_REQUIRED);
	return e;
}

enum err handle_otp_remove(void *app, struct request *rq, struct response *rs)
{
	struct auth *a = app;
	char code[OTP_CODE_MAX + 1];
	enum err e = read_removal_code(rq, rs, code);

	if (e == ERR_OK)
		e = check_throttled(a, rq, code, rs);
	if (e == ERR_OK)
		e = otp_remove(a->service->db, rq->claims.user_id, &rs->why);
	if (e == ERR_OTP)
		return refuse_code(a, rq, "otp-remove", rs);
	if (e == ERR_OTP_REQUIRED)
		return response_explain(
			rs, ERR_INVALID,
			"Send a code, in the header X-OTP or as "
			"the member code of a JSON body.");
	if (e == ERR_NOT_FOUND)
		return response_explain(rs, e,
					"You have no second factor to remove.");
	if (e != ERR_OK)
		return e;
	audit_note_caller(a, rq, "otp-remove", "ok");
	return response_empty(rs, 204);
}
