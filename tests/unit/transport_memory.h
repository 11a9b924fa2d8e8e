/* transport_memory.h - a transport without a server: a table of variables, a
 * body that is read in pieces of a chosen size, and the answer in a buffer.
 *
 * Each piece of the body has an allocation of its exact size, which the next
 * read frees; the values of variables are freed by finish. So a sanitizer
 * reports code that reads too far or too late.
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
	size_t piece;	  /* bytes of the body that a read returns; 0: all */
	/* The connection breaks (ERR_CLOSED) after so many bytes of the body
	 * were read, or of the answer written; MEMORY_NEVER: it does not */
	int64_t read_breaks, write_breaks;

	bool ready; /* whether a read would return at once */

	size_t read;		   /* bytes of the body that were read */
	char *lent;		   /* owned: the last piece */
	struct memory_text *texts; /* owned: values that were returned */
	struct buf text;	   /* the answer as it was written */
	int finished;		   /* the number of calls of finish */
};

/* A request GET `path`, without a body. */
void memory_init(struct memory *m, const char *method, const char *path);
void memory_release(struct memory *m);

/* Set a CGI variable; NULL removes it. */
void memory_set(struct memory *m, const char *name, const char *value);

/* A body and the CONTENT_LENGTH that announces it. */
void memory_body(struct memory *m, struct span body, size_t piece);

/* The answer's parts, as the client would see them. */
int memory_status(const struct memory *m); /* 0: no status */
bool memory_has_header(const struct memory *m, const char *name);
struct span memory_header(const struct memory *m, const char *name);
struct span memory_answer(const struct memory *m); /* its body */

#endif
