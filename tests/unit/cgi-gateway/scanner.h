/* scanner.h - a server in place of clamd, which replies once with what a test
 * wants, also with what the real clamd (see tests/api) never sends. */
#ifndef SCANNER_H
#define SCANNER_H

#include "cgi-gateway/scan/clamd.h"
#include "tests/unit/cgi-gateway/folder.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

enum {
	SCANNER_SEEN_MAX = 1 << 20, /* bytes that are recorded */
	SCANNER_ALL = -1,	    /* read to the end of the stream */
};

struct scanner {
	char dir[FOLDER_PATH_MAX];
	char where[FOLDER_PATH_MAX + 16]; /* for clamd_address_parse() */
	int listener;
	pthread_t thread;
	bool serves;
	/* It reads so many bytes, sends `answer`, then closes the connection; with
	 * `holds` not before the client does. */
	ssize_t reads;
	struct span answer;
	bool holds;
	bool serves_one; /* and refuses all later connections */
	/* the bytes read */
	char *seen;
	size_t seen_len;
};

static inline void scanner_listen(struct scanner *s, const struct sockaddr *a,
				  socklen_t len)
{
	s->listener = socket(a->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(s->listener >= 0);
	assert_int_equal(bind(s->listener, a, len), 0);
	assert_int_equal(listen(s->listener, 4), 0);
	s->seen = malloc(SCANNER_SEEN_MAX);
	assert_non_null(s->seen);
}

static inline void scanner_open(struct scanner *s)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	*s = (struct scanner) { .listener = -1 };
	folder_make(s->dir);
	(void)snprintf(s->where, sizeof(s->where), "%s/sock", s->dir);
	assert_true(strlen(s->where) < sizeof(a.sun_path));
	memcpy(a.sun_path, s->where, strlen(s->where) + 1);
	scanner_listen(s, (const struct sockaddr *)&a, sizeof(a));
}

static inline void scanner_open_tcp(struct scanner *s)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(a);

	*s = (struct scanner) { .listener = -1 };
	folder_make(s->dir);
	scanner_listen(s, (const struct sockaddr *)&a, sizeof(a));
	assert_int_equal(getsockname(s->listener, (struct sockaddr *)&a, &len),
			 0);
	(void)snprintf(s->where, sizeof(s->where), "127.0.0.1:%u",
		       ntohs(a.sin_port));
}

/* Whether the stream's end has been read: pieces behind the command, the last
 * of them of no length */
static inline bool scanner_has_all(const struct scanner *s)
{
	size_t at = sizeof("zINSTREAM");
	const unsigned char *p = (const unsigned char *)s->seen;

	if (s->seen_len >= 6 && memcmp(s->seen, "zPING", 6) == 0)
		return true;
	while (at + CLAMD_LENGTH <= s->seen_len) {
		size_t n = ((size_t)p[at] << 24) | ((size_t)p[at + 1] << 16) |
			   ((size_t)p[at + 2] << 8) | p[at + 3];

		if (n == 0)
			return true;
		at += CLAMD_LENGTH + n;
	}
	return false;
}

/* No asserts here: another thread than the test's */
static inline void *scanner_serve(void *arg)
{
	struct scanner *s = arg;
	int fd = accept(s->listener, NULL, NULL);
	char ignored[64];
	ssize_t n = 1;

	if (s->serves_one)
		(void)shutdown(s->listener, SHUT_RDWR);
	while (fd >= 0 && n > 0 && s->seen_len < SCANNER_SEEN_MAX &&
	       (s->reads == SCANNER_ALL ? !scanner_has_all(s)
					: (ssize_t)s->seen_len < s->reads)) {
		n = read(fd, s->seen + s->seen_len,
			 s->reads == SCANNER_ALL
				 ? SCANNER_SEEN_MAX - s->seen_len
				 : (size_t)s->reads - s->seen_len);
		s->seen_len += n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0 && s->answer.len > 0)
		(void)!write(fd, s->answer.p, s->answer.len);
	while (fd >= 0 && s->holds && read(fd, ignored, sizeof(ignored)) > 0)
		;
	if (fd >= 0)
		(void)close(fd);
	return NULL;
}

/* For the next connection */
static inline void scanner_will(struct scanner *s, ssize_t reads,
				struct span answer)
{
	s->reads = reads;
	s->answer = answer;
	s->seen_len = 0;
	s->serves = true;
	assert_int_equal(pthread_create(&s->thread, NULL, scanner_serve, s), 0);
}

/* Wait until the connection is closed */
static inline void scanner_wait(struct scanner *s)
{
	if (s->serves)
		assert_int_equal(pthread_join(s->thread, NULL), 0);
	s->serves = false;
}

static inline void scanner_close(struct scanner *s)
{
	/* ends a thread that waits in accept() */
	(void)shutdown(s->listener, SHUT_RDWR);
	scanner_wait(s);
	(void)close(s->listener);
	free(s->seen);
	folder_remove(s->dir);
}

static inline struct clamd scanner_address(const struct scanner *s)
{
	struct clamd d = { .timeout = 60 };

	assert_ok(clamd_address_parse(span_of(s->where), &d.address));
	return d;
}

#endif
