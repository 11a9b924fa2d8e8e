/* clamd.h - scan one file at a time with ClamAV's daemon.
 *
 *	clamd_begin(&d, &s, why)
 *	{ clamd_send(&s, piece, why) }*	until all is sent, or ERR_CLOSED
 *	clamd_end(&s, signature, why)
 *	clamd_close(&s)			after any of these, whatever it returned
 *
 * Each returns ERR_UNAVAILABLE when clamd cannot be reached, closes the
 * connection, does not reply in time or cannot scan; `why` has the reason.
 */
#ifndef CLAMD_H
#define CLAMD_H

#include "cgi-gateway/parse/clamd_protocol.h"

enum {
	/* seconds: for looking up the name and connecting to its addresses in
	 * total; also for a whole ping */
	CLAMD_CONNECT = 5,
};

struct clamd {
	struct clamd_address address;
	int64_t timeout; /* seconds from clamd_begin() to the reply; also to
			    connect, if less than CLAMD_CONNECT */
};

struct clamd_stream {
	int fd;		  /* -1: none */
	int64_t deadline; /* ms of CLOCK_MONOTONIC */
	bool cut_short;	  /* clamd stopped reading before the end */
};

/* Return ERR_OK if clamd responds. */
enum err clamd_ping(const struct clamd *d, struct errmsg *why) MUST_CHECK;

/* Connect. *s is always filled. */
enum err clamd_begin(const struct clamd *d, struct clamd_stream *s,
		     struct errmsg *why) MUST_CHECK;

/* Send at least one byte. ERR_CLOSED: clamd stopped reading; clamd_end()
 * returns the reason. */
enum err clamd_send(struct clamd_stream *s, struct span piece,
		    struct errmsg *why) MUST_CHECK;

/* Read clamd's reply.
 *
 *   ERR_OK         clamd has scanned everything that was sent and found nothing
 *   ERR_INFECTED   `signature` is filled
 *   ERR_TOO_LARGE  more bytes than clamd's setting StreamMaxLength */
enum err clamd_end(struct clamd_stream *s,
		   char signature[static CLAMD_SIGNATURE_MAX + 1],
		   struct errmsg *why) MUST_CHECK;

void clamd_close(struct clamd_stream *s);

#endif
