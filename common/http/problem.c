#include "common/http/problem.h"

#include "common/http/problem_page.h"

#include <sys/statvfs.h>

#define REALM "realm=\"gatehouse\""
#define BASIC "Basic " REALM ", charset=\"UTF-8\""

static const struct problem {
	int status;
	const char *slug, *title, *detail;
	const char *challenge; /* WWW-Authenticate */
} problems[ERR_COUNT] = {
	[ERR_FORMAT] = { 400, "bad-request", "Bad request",
			 "The request could not be understood.", NULL },
	[ERR_INVALID] = { 422, "invalid-value", "Invalid value",
			  "A value in the request cannot be used.", NULL },
	[ERR_WEAK_PASSWORD] = { 422, "weak-password", "Weak password",
				"The new password is too easy to guess.",
				NULL },
	[ERR_TOO_LARGE] = { 413, "too-large", "Too large",
			    "The request is larger than this server accepts.",
			    NULL },
	[ERR_NO_FILE] = { 400, "no-file", "No file",
			  "Send a file: as the body, or as a part of "
			  "multipart/form-data that has a filename.",
			  NULL },
	[ERR_TRUNCATED] = { 400, "incomplete-body", "Incomplete body",
			    "The body ended before its announced end; nothing "
			    "was stored. Send it again.",
			    NULL },
	[ERR_SLOW] = { 408, "timeout", "Request timeout",
		       "The body arrived more slowly than this server accepts "
		       "(BODY_RATE_BYTES, BODY_RATE_SECONDS); nothing was "
		       "stored. Send it again over a faster line.",
		       NULL },
	/* No client receives this; the log line shows its status */
	[ERR_CLOSED] = { 400, "incomplete-body", "Incomplete body",
			 "The connection broke; nothing was stored.", NULL },
	[ERR_LENGTH_REQUIRED] = { 411, "length-required", "Length required",
				  "Send a Content-Length.", NULL },
	[ERR_MEDIA_TYPE] = { 415, "unsupported-media-type",
			     "Unsupported media type",
			     "This address does not accept the Content-Type "
			     "of the body.",
			     NULL },
	[ERR_DIGEST] = { 422, "digest-mismatch", "Digest mismatch",
			 "The digest of the received bytes differs from the "
			 "announced one; nothing was stored. Send them again.",
			 NULL },
	[ERR_INFECTED] = { 422, "infected", "Infected",
			   "The virus scanner found malware in the file; "
			   "nothing was stored.",
			   NULL },
	/* tus 1.0.0, "Checksum": a status of its own */
	[ERR_CHECKSUM] = { 460, "checksum-mismatch", "Checksum mismatch",
			   "The checksum of the received bytes differs from "
			   "the announced one; none of them was stored. Send "
			   "them again.",
			   NULL },
	[ERR_TUS_VERSION] = { 412, "tus-version", "Unsupported tus version",
			      "Send Tus-Resumable: 1.0.0, the version that "
			      "this server supports.",
			      NULL },
	[ERR_RANGE] = { 416, "range-not-satisfiable", "Range not satisfiable",
			"The range lies outside the file.", NULL },
	[ERR_CONDITION] = { 412, "precondition-failed", "Precondition failed",
			    "A condition of the request (If-Match, "
			    "If-None-Match, If-Unmodified-Since) does not "
			    "hold; nothing was changed.",
			    NULL },
	[ERR_NO_CREDENTIALS] = { 401, "missing-credentials",
				 "Missing credentials",
				 "Send email and password as HTTP Basic "
				 "credentials.",
				 BASIC },
	[ERR_CREDENTIALS] = { 401, "invalid-credentials", "Invalid credentials",
			      "The email or the password is wrong.", BASIC },
	[ERR_LIMITED] = { 429, "too-many-attempts", "Too many attempts",
			  "Too many failed attempts. Wait the number of "
			  "seconds given in Retry-After, then try again.",
			  NULL },
	[ERR_OTP_REQUIRED] = { 401, "otp-required", "One-time code required",
			       "Send the code of your authenticator, or a "
			       "recovery code, in the header X-OTP.",
			       BASIC },
	[ERR_OTP] = { 401, "invalid-otp", "Invalid one-time code",
		      "The code is wrong, too old or was used before. Wait "
		      "for the next one.",
		      BASIC },
	/* RFC 6750 3: no error code if the request had no token */
	[ERR_NO_TOKEN] = { 401, "missing-token", "Missing token",
			   "Log in at POST /login and send the token as "
			   "Authorization: Bearer.",
			   "Bearer " REALM },
	[ERR_TOKEN_REQUEST] = { 400, "invalid-request", "Invalid request",
				"The Authorization header is malformed; it "
				"must be \"Bearer\", a blank and the token.",
				"Bearer " REALM ", error=\"invalid_request\"" },
	[ERR_BAD_TOKEN] = { 401, "invalid-token", "Invalid token",
			    "The token is invalid, or its session has "
			    "ended. Log in again.",
			    "Bearer " REALM ", error=\"invalid_token\"" },
	[ERR_EXPIRED] = { 401, "invalid-token", "Invalid token",
			  "The token has expired. Log in again.",
			  "Bearer " REALM ", error=\"invalid_token\", "
			  "error_description=\"expired\"" },
	[ERR_NOT_YET] = { 401, "invalid-token", "Invalid token",
			  "The token is not valid yet: the clocks of the "
			  "servers differ. Try again later, and ask the "
			  "operator to set the clocks.",
			  "Bearer " REALM ", error=\"invalid_token\", "
			  "error_description=\"not valid yet\"" },
	[ERR_SCOPE] = { 403, "insufficient-scope", "Insufficient scope",
			"The token does not allow this.",
			"Bearer " REALM ", error=\"insufficient_scope\"" },
	[ERR_FORBIDDEN] = { 403, "forbidden", "Forbidden",
			    "This is not allowed here.", NULL },
	[ERR_NOT_FOUND] = { 404, "not-found", "Not found",
			    "There is nothing at this address.", NULL },
	[ERR_GONE] = { 410, "gone", "Gone",
		       "This has been removed or has expired.", NULL },
	[ERR_METHOD] = { 405, "method-not-allowed", "Method not allowed",
			 "This address does not accept the method; the Allow "
			 "header lists those that it accepts.",
			 NULL },
	[ERR_CONFLICT] = { 409, "conflict", "Conflict",
			   "It already exists, or another request has changed "
			   "it. Read it again, then retry.",
			   NULL },
	[ERR_TOO_MANY] = { 409, "conflict", "Conflict",
			   "The maximum number of these exists already. Remove "
			   "one first.",
			   NULL },
	[ERR_TOO_MANY_UPLOADS] = { 429, "too-many-uploads", "Too many uploads",
				   "As many uploads of this user are in "
				   "progress as are allowed (a share of "
				   "CONNECTIONS). Let one end, then try again.",
				   NULL },
	[ERR_BUSY] = { 423, "locked", "Locked",
		       "Temporarily unavailable. Try again in a few seconds.",
		       NULL },
	[ERR_QUOTA] = { 507, "quota-exceeded", "Quota exceeded",
			"This needs more bytes than your quota has left. "
			"Delete files and try again.",
			NULL },
	[ERR_QUOTA_FILES] = { 507, "quota-exceeded", "Quota exceeded",
			      "Your quota of files is used up. Delete files "
			      "and try again.",
			      NULL },
	[ERR_FULL] = { 507, "storage-full", "Storage full",
		       "The server has no space left; nothing was stored. Try "
		       "again later.",
		       NULL },
	[ERR_UNAVAILABLE] = { 503, "unavailable", "Unavailable",
			      "A service that this server depends on is "
			      "unavailable. Try again in a few seconds.",
			      NULL },
	[ERR_OVERLOADED] = { 503, "unavailable", "Unavailable",
			     "The server is too busy for this request; nothing "
			     "was changed. Try again in a few seconds.",
			     NULL },
};

static const struct problem internal = {
	500, "internal-error", "Internal error",
	"An internal error occurred. The operator's log explains it under this "
	"request_id.",
	NULL
};

static const struct problem *problem_of(enum err e)
{
	if ((unsigned)e < ERR_COUNT && problems[e].status != 0)
		return &problems[e];
	return &internal;
}

/* What the web server refuses by itself, where the error of the same status has
 * another sentence */
static const struct problem of_server[] = {
	{ 400, "bad-request", "Bad request",
	  "The request is not valid HTTP, is a GET with a body, or its body "
	  "broke off.",
	  NULL },
	{ 403, "forbidden", "Forbidden", "This address is not served.", NULL },
	{ 404, "not-found", "Not found", "Nothing is served at this address.",
	  NULL },
	{ 405, "method-not-allowed", "Method not allowed",
	  "This address does not accept the method.", NULL },
	{ 408, "timeout", "Request timeout",
	  "The request did not arrive in time. Send it again.", NULL },
	{ 411, "length-required", "Length required",
	  "A body without Content-Length is not accepted here.", NULL },
	{ 413, "too-large", "Too large",
	  "The body is larger than this server accepts.", NULL },
	{ 414, "bad-request", "URI too long",
	  "The URL is longer than this server accepts.", NULL },
	{ 416, "range-not-satisfiable", "Range not satisfiable",
	  "The file has no bytes in the requested range.", NULL },
	{ 417, "bad-request", "Expectation failed",
	  "The only supported value of Expect is 100-continue.", NULL },
	{ 431, "bad-request", "Request header fields too large",
	  "The header fields are larger than this server accepts.", NULL },
	{ 501, "bad-request", "Not implemented",
	  "The server does not support the method or the Transfer-Encoding.",
	  NULL },
	{ 502, "unavailable", "Bad gateway",
	  "The program behind this address sent no usable response. Try again "
	  "in a few seconds.",
	  NULL },
	{ 503, "unavailable", "Unavailable",
	  "The program behind this address is not running or is overloaded. "
	  "Try "
	  "again in a few seconds.",
	  NULL },
	{ 504, "unavailable", "Gateway timeout",
	  "The program behind this address did not respond in time. Try again "
	  "in a few seconds.",
	  NULL },
	{ 505, "bad-request", "HTTP version not supported",
	  "Use HTTP/1.1, or HTTP/2 over TLS.", NULL },
};

/* The server's 500: the program ended under the request, or the server ran out
 * of descriptors or memory */
static const struct problem broke_off = {
	503, "unavailable", "Unavailable",
	"The request broke off inside the server, and may have taken effect. "
	"Check that, or send it again in a few seconds.",
	NULL
};

static enum err write_json(struct response *rs, const struct request *rq,
			   const struct problem *p, const char *detail)
{
	struct json_object *o = json_object_new_object();
	char type[64];
	enum err e;

	if (o == NULL)
		return ERR_MEMORY;
	(void)snprintf(type, sizeof(type), "urn:gatehouse:%s", p->slug);
	json_set_str(o, "type", type);
	json_set_str(o, "title", p->title);
	json_set_int(o, "status", p->status);
	json_set_str(o, "detail", detail);
	json_set_str(o, "request_id", rq->id);
	e = response_line(rs, p->status, "application/problem+json",
			  json_write(o));
	json_object_put(o);
	return e;
}

static enum err write_page(struct response *rs, const struct request *rq,
			   const struct problem *p, const char *detail)
{
	struct buf page;
	enum err e;

	buf_init(&page, PROBLEM_PAGE_MAX);
	problem_page(&page, rq, p->status, p->title, detail);
	e = buf_error(&page);
	response_header_str(rs, "Content-Security-Policy", PROBLEM_PAGE_CSP);
	if (e == ERR_OK)
		e = response_body(rs, p->status, "text/html; charset=utf-8",
				  buf_span(&page));
	buf_release(&page);
	return e;
}

static enum err send(const struct request *rq, struct response *rs,
		     const struct problem *p, const char *detail)
{
	response_header_str(rs, "Vary", "Accept");
	if (problem_page_wanted(rq))
		return write_page(rs, rq, p, detail);
	return write_json(rs, rq, p, detail);
}

enum err problem_answer(const struct request *rq, struct response *rs,
			enum err e)
{
	const struct problem *p = problem_of(e);

	if (rs->started)
		return e;
	response_restart(rs);
	if (p->challenge != NULL)
		response_header_str(rs, "WWW-Authenticate", p->challenge);
	if (p->status == 503 || p->status == 423 || p->status == 429 ||
	    p->status == 408)
		response_header_int(rs, "Retry-After",
				    rs->retry_after > 0 ? rs->retry_after : 1);
	return send(rq, rs, p, rs->detail[0] != '\0' ? rs->detail : p->detail);
}

/* Whether the body that the request announced is larger than the free space
 * where the server buffers bodies. What it had buffered is removed by now. */
static bool exceeds_spool(const struct request *rq)
{
	struct span folder = request_variable(rq, "GATEHOUSE_SPOOL");
	char path[REQUEST_PATH_MAX];
	struct statvfs disk;
	int64_t length;

	return span_to_int(request_header(rq, "Content-Length"), &length) &&
	       span_to_cstr(folder, path, sizeof(path)) &&
	       statvfs(path, &disk) == 0 &&
	       (uint64_t)length / disk.f_frsize >= disk.f_bavail;
}

static const struct problem *problem_of_server(const struct request *rq,
					       const struct server_error *e)
{
	if (e->status >= 500 && e->place == AT_PROGRAM_HEAD)
		return problem_of(ERR_BUSY);
	/* A file that the program named, and the server could not open */
	if (e->status == 403 && e->place == AT_PROGRAM)
		return &broke_off;
	if (e->status == 500 && e->place == AT_PROGRAM_BODY &&
	    exceeds_spool(rq))
		return problem_of(ERR_FULL);
	if (e->status == 502 && e->place != AT_REQUEST)
		return &broke_off;
	for (size_t i = 0; i < sizeof(of_server) / sizeof(*of_server); i++)
		if (of_server[i].status == e->status)
			return &of_server[i];
	return e->status < 500 ? problem_of(ERR_FORMAT) : &broke_off;
}

enum err problem_answer_server(const struct request *rq, struct response *rs,
			       const struct server_error *e)
{
	const struct problem *p = problem_of_server(rq, e);

	if (p->status == 405)
		response_header_str(rs, "Allow", "GET, HEAD");
	if (p->status == 423 || p->status == 408 ||
	    (p->status >= 502 && p->status <= 504))
		response_header_str(rs, "Retry-After", "1");
	return send(rq, rs, p, p->detail);
}
