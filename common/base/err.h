/* err.h - what can go wrong, by name.
 *
 * Every call that can fail returns one of these, and the caller must check it.
 * Outputs are untouched after a failure unless a header says otherwise. Only
 * problem.c maps an error to a status and a title for the client; err_text()
 * gives the phrase for the log and for a terminal.
 *
 * Calls to the outside (database, disk, network) also fill a `struct errmsg`
 * with one line for the operator's log. That line may contain paths and texts
 * of libraries, so it is never sent to a client.
 */
#ifndef ERR_H
#define ERR_H

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

enum err {
	ERR_OK = 0,
	/* the client's input */
	ERR_FORMAT,	     /* malformed */
	ERR_INVALID,	     /* well formed, but not an accepted value */
	ERR_WEAK_PASSWORD,   /* a new password is not accepted */
	ERR_TOO_LARGE,	     /* over a named limit */
	ERR_NO_FILE,	     /* an upload without a file */
	ERR_TRUNCATED,	     /* the body ended before its announced end */
	ERR_SLOW,	     /* the body arrives slower than it must */
	ERR_LENGTH_REQUIRED, /* a body of unknown length */
	ERR_MEDIA_TYPE,	     /* an unsupported Content-Type */
	ERR_DIGEST,	 /* the digest of a file differs from the announced */
	ERR_CHECKSUM,	 /* the checksum of one piece of an upload differs */
	ERR_TUS_VERSION, /* no version of tus, or an unsupported one */
	ERR_INFECTED,	 /* the virus scanner found malware */
	ERR_RANGE,	 /* a byte range outside the file */
	ERR_CONDITION,	 /* a condition of the request does not hold */
	/* the caller's identity */
	ERR_NO_CREDENTIALS, /* no user name and password */
	ERR_CREDENTIALS,    /* wrong user name or password */
	ERR_LIMITED,	    /* too many attempts; see rs->retry_after */
	ERR_OTP_REQUIRED,   /* right password, but no one-time code */
	ERR_OTP,	    /* a one-time code that is wrong or was used */
	ERR_NO_TOKEN,	    /* no bearer token */
	ERR_TOKEN_REQUEST,  /* a malformed Authorization header */
	ERR_BAD_TOKEN,	    /* a token that is not genuine, or a session that
			       is not valid */
	ERR_EXPIRED,	    /* a genuine token, no longer valid */
	ERR_NOT_YET,	    /* a genuine token of the future: clocks differ */
	ERR_SCOPE,	    /* a valid token without the scope */
	ERR_FORBIDDEN,	    /* not allowed to any caller */
	/* what the request asks for */
	ERR_NOT_FOUND,
	ERR_GONE,     /* expired or removed */
	ERR_METHOD,   /* the address exists, the method does not */
	ERR_CONFLICT, /* exists already, or was changed by another request */
	ERR_TOO_MANY, /* as many exist as are allowed */
	ERR_TOO_MANY_UPLOADS, /* of one user at a time; see rs->retry_after */
	ERR_QUOTA,	      /* the user's quota of bytes is used up */
	ERR_QUOTA_FILES,      /* the user's quota of files is used up */
	ERR_BUSY,	      /* exists, but cannot be read at this moment */
	/* this server */
	ERR_FULL,	 /* no space left on the device */
	ERR_UNAVAILABLE, /* a service that we need does not work; retry */
	ERR_OVERLOADED,	 /* nothing was done, for lack of time, descriptors or
			    memory; retry */
	ERR_CLOSED,	 /* the peer has closed the connection */
	ERR_MEMORY,	 /* an allocation failed, or an arena is full */
	ERR_IO,		 /* disk or system call */
	ERR_CONFIG,	 /* a setting is missing or wrong */
	ERR_COUNT
};

/* Return a short English phrase, a static string, never NULL. */
const char *err_text(enum err e);

/* The error that a failed system call means: ERR_FULL if the disk or its quota
 * is full, ERR_OVERLOADED if the process or the system has no more descriptors
 * or memory at this moment, else ERR_IO. */
enum err err_of_errno(int number);

/* Which limit to raise, to be appended to the text of the errno: "; …", or "".
 */
const char *err_hint_of_errno(int number);

/* One line for the operator: bounded, always terminated. */
struct errmsg {
	char text[256];
};

/* Fill `*why` (which may be NULL) and return `e`, so that a failing branch is
 * `return err_set(why, ERR_IO, "open %s: %s", ...)`. */
#define err_set(why, e, ...) (err_fill(why, __VA_ARGS__), (e))

/* The half of err_set() that is a function, so that a compiler that checks the
 * caller sees which error it returns. */
void err_fill(struct errmsg *why, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
