/* clamd_protocol.h - how one speaks to ClamAV's daemon (clamd(8), COMMANDS).
 *
 *	zPING NUL		PONG NUL
 *	zINSTREAM NUL		stream: OK NUL
 *	  { length, bytes }*	stream: <signature> FOUND NUL
 *	  0			INSTREAM size limit exceeded. ERROR NUL, and
 *others
 *
 * A length is four bytes, the highest first. Pure: nothing here speaks.
 */
#ifndef CLAMD_PROTOCOL_H
#define CLAMD_PROTOCOL_H

#include "common/base/err.h"
#include "common/base/span.h"

enum {
	CLAMD_ANSWER_MAX = 1024,   /* bytes with the NUL; then it is none */
	CLAMD_SIGNATURE_MAX = 127, /* bytes; of a longer name the rest is cut */
	CLAMD_PATH_MAX = 107,	   /* bytes of a socket's path, unix(7) */
	CLAMD_HOST_MAX = 253,	   /* bytes; RFC 1035 3.1 */
	CLAMD_LENGTH = 4,	   /* bytes before each piece */
};

/* Where a clamd listens. */
struct clamd_address {
	char path[CLAMD_PATH_MAX + 1]; /* of its Unix socket; or "", and */
	char host[CLAMD_HOST_MAX + 1], port[6];
};

/* "/run/clamd.sock", "host:3310", "192.0.2.1:3310" or "[::1]:3310". ERR_FORMAT.
 */
enum err clamd_address_parse(struct span text,
			     struct clamd_address *out) MUST_CHECK;

/* The length that goes before a piece; 0 goes last of all. */
void clamd_length(uint32_t bytes, char out[static CLAMD_LENGTH]);

/* What clamd says of a stream, `answer` being all up to its NUL:
 *
 *   ERR_OK         it has found nothing
 *   ERR_INFECTED   it has; `signature` holds the name, in ASCII
 *   ERR_TOO_LARGE  the stream is longer than its StreamMaxLength
 *   ERR_IO         it could not look: the answer ends in ERROR
 *   ERR_FORMAT     that is none of its answers
 */
enum err clamd_answer_parse(struct span answer,
			    char signature[static CLAMD_SIGNATURE_MAX + 1])
	MUST_CHECK;

#endif
