/* fcgi_input.h - a larger buffer for the input stream of libfcgi.
 *
 * libfcgi reads a connection 8 KiB at a time: 131,072 calls for a GiB. While
 * bytes have arrived, the stream gets a larger buffer, which is returned before
 * the thread waits for more. libfcgi still reads and parses the records.
 *
 * The stream's own buffer is known to libfcgi alone; this module looks for it
 * in the way that libfcgi 2.4 stores it, and if what it finds is not a buffer
 * around the stream's position, the stream keeps its 8 KiB.
 */
#ifndef FCGI_INPUT_H
#define FCGI_INPUT_H

#include <fcgiapp.h>
#include <stdbool.h>

enum {
	FCGI_INPUT_BUFFER = 128 * 1024, /* bytes of a read(2) at most */
};

/* The input of one request */
struct fcgi_input {
	FCGX_Stream *in; /* borrowed */
	int socket;	 /* borrowed */
	char *lent;	 /* the larger buffer, while the stream has it */
	unsigned char *own;
	int own_size;
	bool arrived; /* the socket has unread bytes, or was closed */
};

void fcgi_input_begin(struct fcgi_input *f, const FCGX_Request *rq);

/* Whether bytes can be read without waiting for the client. */
bool fcgi_input_ready(struct fcgi_input *f);

/* Let libfcgi fill the stream, whose buffer is empty. */
void fcgi_input_fill(struct fcgi_input *f);

/* Return the larger buffer, before libfcgi ends the request. */
void fcgi_input_end(struct fcgi_input *f);

#endif
