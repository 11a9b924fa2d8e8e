/* err.h - what can go wrong, by name.
 *
 * Every call that can fail returns one of these and must be checked. Outputs
 * are untouched after a failure unless a header says otherwise. What a name
 * means to a client (status, title) is known to problem.c alone; what it
 * means to a person at a terminal is in err_text().
 *
 * Calls that touch the outside (database, disk, network) also fill a
 * `struct errmsg` with one line for the operator's log. That line may hold
 * paths and library text, and so never goes to a client.
 */
#ifndef ERR_H
#define ERR_H

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

enum err {
	ERR_OK = 0,
	/* the caller's input */
	ERR_FORMAT,	     /* not in the form that was asked for */
	ERR_INVALID,	     /* well formed, but not a value we take */
	ERR_WEAK_PASSWORD,   /* a new password that we do not take */
	ERR_TOO_LARGE,	     /* over a named limit */
	ERR_NO_FILE,	     /* an upload without a file in it */
	ERR_TRUNCATED,	     /* the body ended before its announced end */
	ERR_LENGTH_REQUIRED, /* a body of unknown length */
	ERR_MEDIA_TYPE,	     /* a Content-Type we do not read */
	ERR_DIGEST,	 /* the bytes are not the ones that were announced */
	ERR_CHECKSUM,	 /* nor are those of one piece of an upload */
	ERR_TUS_VERSION, /* another version of the tus protocol, or none */
	ERR_INFECTED,	 /* a virus scanner knows the bytes */
	ERR_RANGE,	 /* a byte range outside the file */
	/* who is asking */
	ERR_NO_CREDENTIALS, /* no user name and password came */
	ERR_CREDENTIALS,    /* wrong user name or password */
	ERR_LIMITED,	    /* too many attempts; rs->retry_after says when */
	ERR_OTP_REQUIRED,   /* the password is right, a one-time code is due */
	ERR_OTP,	    /* a one-time code that is wrong, or was used */
	ERR_NO_TOKEN,	    /* no bearer token came */
	ERR_TOKEN_REQUEST,  /* an Authorization header that makes no sense */
	ERR_BAD_TOKEN,	    /* a token that is not genuine */
	ERR_EXPIRED,   /* genuine, but its time is over (or not yet here) */
	ERR_SCOPE,     /* genuine, but not allowed to do this */
	ERR_FORBIDDEN, /* nobody may do this to it */
	/* what is asked for */
	ERR_NOT_FOUND,
	ERR_GONE,     /* was there, and its time is over */
	ERR_METHOD,   /* the place exists, the method does not */
	ERR_CONFLICT, /* exists already, or changed under us */
	ERR_TOO_MANY, /* as many of these exist as are allowed */
	ERR_QUOTA,    /* the user's allowance is used up */
	ERR_BUSY,     /* it is there, and cannot be told about now */
	/* our side */
	ERR_FULL,	 /* no space left on the device */
	ERR_UNAVAILABLE, /* something we need is away; later may work */
	ERR_CLOSED,	 /* the other end of a connection is gone */
	ERR_MEMORY,	 /* an allocation failed, or an arena's limit */
	ERR_IO,		 /* disk or system call */
	ERR_CONFIG,	 /* a setting is missing or wrong */
	ERR_COUNT
};

/* A short English phrase; a static string, never NULL. */
const char *err_text(enum err e);

/* One line for the operator: bounded, always terminated. */
struct errmsg {
	char text[256];
};

/* Fill `*m` (which may be NULL) and return `e`, so that a failing branch is
 * `return err_set(m, ERR_IO, "open %s: %s", ...)`. */
#define err_set(m, e, ...) (err_fill(m, __VA_ARGS__), (e))

/* The half of err_set() that is a function, so that a compiler that checks the
 * caller sees which error it returns. */
void err_fill(struct errmsg *why, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
