/* clamd_protocol.h - the protocol of ClamAV's daemon (clamd(8), COMMANDS).
 *
 *	we send			clamd replies
 *	zPING NUL		PONG NUL
 *	zINSTREAM NUL		stream: OK NUL
 *	  { length, bytes }*	stream: <signature> FOUND NUL
 *	  0			INSTREAM size limit exceeded. ERROR NUL
 *				and other errors
 *
 * A length is four bytes, the highest first. Pure: nothing here connects.
 */
#ifndef CLAMD_PROTOCOL_H
#define CLAMD_PROTOCOL_H

#include "common/base/err.h"
#include "common/base/span.h"

enum {
	CLAMD_REPLY_MAX = 1024,	   /* bytes of a reply, with its NUL */
	CLAMD_SIGNATURE_MAX = 127, /* bytes; a longer name is truncated */
	CLAMD_PATH_MAX = 107,	   /* bytes of a socket's path; unix(7) */
	CLAMD_HOST_MAX = 253,	   /* bytes; RFC 1035 3.1 */
	CLAMD_LENGTH = 4,	   /* bytes before each piece */
};

/* Where a clamd listens. */
struct clamd_address {
	char path[CLAMD_PATH_MAX + 1]; /* of its Unix socket; or "", and: */
	char host[CLAMD_HOST_MAX + 1], port[6];
};

/* Parse "/run/clamd.sock", "host:3310", "192.0.2.1:3310" or "[::1]:3310".
 * ERR_FORMAT for anything else. */
enum err clamd_address_parse(struct span text,
			     struct clamd_address *out) MUST_CHECK;

/* Encode the length that precedes a piece; 0 ends the stream. */
void clamd_length(uint32_t bytes, char out[static CLAMD_LENGTH]);

/* Parse a reply to INSTREAM; `reply` ends before its NUL.
 *
 *   ERR_OK         nothing was found
 *   ERR_INFECTED   `signature` receives the name of the malware, in ASCII
 *   ERR_TOO_LARGE  the stream is longer than clamd's StreamMaxLength
 *   ERR_IO         clamd could not scan: the reply ends with ERROR
 *   ERR_FORMAT     none of clamd's replies */
enum err clamd_reply_parse(struct span reply,
			   char signature[static CLAMD_SIGNATURE_MAX + 1])
	MUST_CHECK;

#endif
