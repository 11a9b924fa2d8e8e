#include "common/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static const char *const texts[ERR_COUNT] = {
	[ERR_OK] = "ok",
	[ERR_FORMAT] = "malformed",
	[ERR_INVALID] = "not an acceptable value",
	[ERR_WEAK_PASSWORD] = "weak password",
	[ERR_TOO_LARGE] = "too large",
	[ERR_NO_FILE] = "no file in the request",
	[ERR_TRUNCATED] = "ended too early",
	[ERR_SLOW] = "too slow",
	[ERR_LENGTH_REQUIRED] = "length required",
	[ERR_MEDIA_TYPE] = "unsupported media type",
	[ERR_DIGEST] = "digest mismatch",
	[ERR_INFECTED] = "infected",
	[ERR_CHECKSUM] = "checksum mismatch",
	[ERR_TUS_VERSION] = "not tus 1.0.0",
	[ERR_RANGE] = "range not satisfiable",
	[ERR_CONDITION] = "precondition failed",
	[ERR_NO_CREDENTIALS] = "no credentials",
	[ERR_CREDENTIALS] = "wrong credentials",
	[ERR_LIMITED] = "too many attempts",
	[ERR_OTP_REQUIRED] = "one-time code required",
	[ERR_OTP] = "wrong one-time code",
	[ERR_NO_TOKEN] = "no token",
	[ERR_TOKEN_REQUEST] = "malformed authorization",
	[ERR_BAD_TOKEN] = "token not genuine",
	[ERR_EXPIRED] = "token expired",
	[ERR_NOT_YET] = "token not valid yet",
	[ERR_SCOPE] = "insufficient scope",
	[ERR_FORBIDDEN] = "forbidden",
	[ERR_NOT_FOUND] = "not found",
	[ERR_GONE] = "gone",
	[ERR_METHOD] = "method not allowed",
	[ERR_CONFLICT] = "conflict",
	[ERR_TOO_MANY] = "too many",
	[ERR_TOO_MANY_UPLOADS] = "too many uploads",
	[ERR_QUOTA] = "quota of bytes exceeded",
	[ERR_QUOTA_FILES] = "quota of files exceeded",
	[ERR_BUSY] = "locked",
	[ERR_FULL] = "no space left",
	[ERR_UNAVAILABLE] = "unavailable",
	[ERR_OVERLOADED] = "overloaded",
	[ERR_CLOSED] = "connection closed",
	[ERR_MEMORY] = "out of memory",
	[ERR_IO] = "input/output error",
	[ERR_CONFIG] = "configuration error",
};

const char *err_text(enum err e)
{
	if ((unsigned)e >= ERR_COUNT)
		return "unknown error";
	return texts[e];
}

enum err err_of_errno(int number)
{
	switch (number) {
	case ENOSPC:
	case EDQUOT:
		return ERR_FULL;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
		return ERR_OVERLOADED;
	default:
		return ERR_IO;
	}
}

const char *err_hint_of_errno(int number)
{
	switch (number) {
	case EMFILE:
		return "; raise the process's limit of open files (ulimit -n, "
		       "LimitNOFILE=), or lower THREADS";
	case ENFILE:
		return "; raise the system's limit of open files (sysctl "
		       "fs.file-max)";
	default:
		return "";
	}
}

void err_fill(struct errmsg *why, const char *fmt, ...)
{
	va_list ap;

	if (why == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
}
