/* answer.h - what a CGI program answered: its status, and how the body begins
 * (RFC 3875 6).
 *
 * Pure: a span in, spans into it out.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include "common/base/err.h"
#include "common/base/span.h"

enum {
	ANSWER_MAX = 8192, /* bytes of an answer that are looked at */
};

struct answer {
	int status; /* 100 to 999; 200 where the program named none */
	struct span body;
};

/* Read an answer that may be cut off anywhere in its body. ERR_FORMAT: no blank
 * line ends its header fields, or Status is no status; *out is untouched. */
enum err answer_read(struct span text, struct answer *out) MUST_CHECK;

#endif
