/* clamd.h - one file at a time through ClamAV's daemon.
 *
 *	clamd_begin(&d, &s, m)
 *	{ clamd_send(&s, piece, m) }* until all is sent, or it is ERR_CLOSED
 *	clamd_end(&s, signature, m)
 *	clamd_close(&s)			whatever came before
 *
 * ERR_UNAVAILABLE, from each: it is not there, has gone away, did not answer in
 * time, or could not look; `m` tells which.
 */
#ifndef CLAMD_H
#define CLAMD_H

#include "cgi-gateway/parse/clamd_protocol.h"

enum {
	CLAMD_CONNECT = 5, /* seconds for a connection; and for a whole ping */
};

struct clamd {
	struct clamd_address address;
	int64_t timeout; /* seconds, from the connection to the answer */
};

struct clamd_stream {
	int fd;		  /* -1: none */
	int64_t deadline; /* ms of the monotonic clock */
	bool cut;	  /* it stopped reading before it had all */
};

/* Whether it is there and answers. */
enum err clamd_ping(const struct clamd *d, struct errmsg *why) MUST_CHECK;

/* *s is filled in any case. */
enum err clamd_begin(const struct clamd *d, struct clamd_stream *s,
		     struct errmsg *why) MUST_CHECK;

/* A piece of at least one byte. ERR_CLOSED: clamd takes no more, and
 * clamd_end() tells why. */
enum err clamd_send(struct clamd_stream *s, struct span piece,
		    struct errmsg *cause) MUST_CHECK;

/* Hear what it says. ERR_OK: it has seen all that was sent and found nothing.
 * ERR_INFECTED: `signature` is filled. ERR_TOO_LARGE: longer than clamd's own
 * setting StreamMaxLength allows. */
enum err clamd_end(struct clamd_stream *s,
		   char signature[static CLAMD_SIGNATURE_MAX + 1],
		   struct errmsg *why) MUST_CHECK;

void clamd_close(struct clamd_stream *s);

#endif
