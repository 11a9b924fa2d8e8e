/* transport_memory.h - a transport that needs no server: a table of variables,
 * a body handed out in pieces of a chosen size, the answer gathered.
 *
 * Each piece of the body lies in memory of its own, as long as it is, which
 * ends with the next read, and what a variable holds ends with finish: a
 * sanitizer sees whoever looks further or later.
 */
#ifndef TRANSPORT_MEMORY_H
#define TRANSPORT_MEMORY_H

#include "common/base/buf.h"
#include "common/http/transport.h"

enum {
	MEMORY_VARIABLES = 32,
	MEMORY_ANSWER = 8 * 1024 * 1024, /* bytes of an answer */
	MEMORY_NEVER = -1,
};

struct memory {
	struct transport base;
	struct {
		const char *name, *value; /* borrowed */
	} variables[MEMORY_VARIABLES];
	size_t count;
	struct span body; /* borrowed */
	size_t piece;	  /* bytes of the body a read hands out; 0: all */
	/* The connection breaks (ERR_CLOSED) when so many bytes of the body
	 * were read, or of the answer written; MEMORY_NEVER: it holds */
	int64_t read_breaks, write_breaks;

	bool ready; /* whether a read would answer at once */

	size_t read;		   /* bytes of the body handed out */
	char *lent;		   /* owned: the last piece */
	struct memory_text *texts; /* owned: values that were handed out */
	struct buf text;	   /* the answer as it was written */
	int finished;		   /* how often finish was called */
};

/* A request GET `path`, without a body. */
void memory_init(struct memory *m, const char *method, const char *path);
void memory_release(struct memory *m);

/* Set a CGI variable; NULL takes it away. */
void memory_set(struct memory *m, const char *name, const char *value);

/* A body and the CONTENT_LENGTH that announces it. */
void memory_body(struct memory *m, struct span body, size_t piece);

/* The answer's parts, as the client would see them. */
int memory_status(const struct memory *m); /* 0: there is none */
bool memory_has_header(const struct memory *m, const char *name);
struct span memory_header(const struct memory *m, const char *name);
struct span memory_answer(const struct memory *m); /* its body */

#endif
