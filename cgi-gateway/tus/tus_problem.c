#include "cgi-gateway/tus/tus_problem.h"

#include "cgi-gateway/parse/checksum.h"
#include "cgi-gateway/parse/tus_header.h"

enum {
	PART_ID_MAX = 100, /* bytes of a part's id that a response repeats */
	UNFINISHED_RETRY = 60, /* seconds; one upload must end first */
};

/* --- the bytes of a request ----------------------------------------------- */

enum err tus_problem_offset(struct response *rs, int64_t offset)
{
	response_header_int(rs, "Upload-Offset", offset);
	response_keep(rs);
	return response_explain(rs, ERR_CONFLICT,
				"The upload is at byte %lld. Resume from "
				"there.",
				(long long)offset);
}

enum err tus_problem_max_upload(struct response *rs, int64_t max_upload)
{
	return response_explain(rs, ERR_TOO_LARGE,
				"The file is larger than %lld bytes "
				"(MAX_UPLOAD).",
				(long long)max_upload);
}

enum err tus_problem_remaining(struct response *rs, int64_t remaining,
			       int64_t length)
{
	return response_explain(
		rs, ERR_TOO_LARGE,
		"Only %lld of %lld bytes remain, but the request has more.",
		(long long)remaining, (long long)length);
}

enum err tus_problem_complete(struct response *rs, int64_t length)
{
	return response_explain(rs, ERR_TOO_LARGE,
				"The upload has all of its %lld bytes. Send no "
				"more.",
				(long long)length);
}

enum err tus_problem_content_length(struct response *rs)
{
	return response_explain(rs, ERR_TOO_LARGE,
				"The request has more bytes than its "
				"Content-Length says.");
}

enum err tus_problem_no_length(struct response *rs)
{
	return response_explain(rs, ERR_LENGTH_REQUIRED,
				"Send a Content-Length: the upload has no "
				"Upload-Length yet.");
}

enum err tus_problem_length(struct response *rs)
{
	return response_explain(rs, ERR_FORMAT,
				"Upload-Length cannot be changed once it is "
				"set, nor be less than the bytes that were "
				"announced before.");
}

enum err tus_problem_checksum(struct response *rs)
{
	return response_explain(rs, ERR_FORMAT,
				"Upload-Checksum must be one of %s, a space, "
				"and the checksum in base64.",
				CHECKSUM_ALGORITHMS);
}

enum err tus_problem_joined(struct response *rs)
{
	return response_explain(rs, ERR_FORBIDDEN,
				"This upload was joined from its parts, and no "
				"bytes can be added to it.");
}

enum err tus_problem_unfinished(struct response *rs, int64_t max)
{
	rs->retry_after = UNFINISHED_RETRY;
	return response_explain(
		rs, ERR_TOO_MANY_UPLOADS,
		"%lld resumable uploads of this user are not finished, as many "
		"as are allowed (MAX_UNFINISHED). Finish or delete one first.",
		(long long)max);
}

enum err tus_problem_broken_off(struct response *rs, enum err e,
				bool all_or_nothing)
{
	const char *kept = all_or_nothing ? "None of its bytes were kept"
					  : "The bytes before that were kept";

	switch (e) {
	case ERR_CONFLICT:
		return response_explain(
			rs, e,
			"Another request has taken over this upload. Request "
			"its offset (HEAD), and resume from there.");
	case ERR_TRUNCATED:
		return response_explain(
			rs, e,
			"The body ended before its announced length. %s. "
			"Request the offset (HEAD), and resume from there.",
			kept);
	case ERR_SLOW:
		return response_explain(
			rs, e,
			"The body arrived more slowly than this server accepts "
			"(BODY_RATE_BYTES, BODY_RATE_SECONDS). %s. Request the "
			"offset (HEAD), and resume from there.",
			kept);
	case ERR_FULL:
		return response_explain(
			rs, e,
			"The server has no space left. %s. Request the offset "
			"(HEAD), and resume later.",
			kept);
	default:
		return e;
	}
}

enum err tus_problem_not_created(struct response *rs, enum err e)
{
	switch (e) {
	case ERR_TRUNCATED:
		return response_explain(
			rs, e,
			"The body ended before its announced length. The "
			"upload was not created; create it again.");
	case ERR_FULL:
		return response_explain(rs, e,
					"The server has no space left. The "
					"upload was not created: try again "
					"later.");
	default:
		return e;
	}
}

/* --- the parts of a joined upload ----------------------------------------- */

enum err tus_problem_not_a_part(struct response *rs, struct span id)
{
	int len = id.len < PART_ID_MAX ? (int)id.len : PART_ID_MAX;

	return response_explain(
		rs, ERR_INVALID,
		"%.*s is not a partial upload of this owner. "
		"Name uploads made with Upload-Concat: partial.",
		len, id.p);
}

enum err tus_problem_part_twice(struct response *rs)
{
	return response_explain(rs, ERR_INVALID,
				"A part is named twice. Name each part once.");
}

enum err tus_problem_part_incomplete(struct response *rs, const char *id)
{
	return response_explain(rs, ERR_CONFLICT,
				"The part %s does not have all of its bytes. "
				"Send the rest first.",
				id);
}

enum err tus_problem_part_taken(struct response *rs)
{
	return response_explain(rs, ERR_CONFLICT,
				"Another request has joined or removed a part "
				"of this. Check which parts still exist.");
}

enum err tus_problem_too_many_parts(struct response *rs)
{
	return response_explain(rs, ERR_TOO_LARGE,
				"An upload can be joined from at most %d "
				"parts.",
				TUS_PARTS_MAX);
}

enum err tus_problem_parts_too_large(struct response *rs, int64_t max_upload)
{
	return response_explain(rs, ERR_TOO_LARGE,
				"Together the parts are larger than %lld bytes "
				"(MAX_UPLOAD).",
				(long long)max_upload);
}
