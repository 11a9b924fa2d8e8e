#include "common/admin/output.h"

#include "common/admin/exit_status.h"
#include "common/admin/failure.h"
#include "common/codec/http_date.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct sigaction ignore = { .sa_handler = SIG_IGN },
			      by_default = { .sa_handler = SIG_DFL };
/* Who started the program wants SIGPIPE to be ignored */
static bool sigpipe_is_ignored;

void output_begin(void)
{
	struct sigaction before;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			/* open(2) returns the lowest free descriptor, which is
			 * fd. Input is opened write-only and output read-only,
			 * so that using it still fails. */
			(void)!open("/dev/null",
				    fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
	sigpipe_is_ignored = sigaction(SIGPIPE, &ignore, &before) == 0 &&
			     before.sa_handler == SIG_IGN;
}

/* The errno of the first write that failed and was noticed at once, or 0 */
static int write_error;

bool output_failed(void)
{
	if (!ferror(stdout))
		return false;
	if (write_error == 0)
		write_error = errno;
	return true;
}

/* Ask the pipe, for an error that was not noticed at once. */
static bool reader_is_gone(void)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLERR | POLLHUP)) != 0;
}

/* End as every program does whose reader has closed the pipe. */
static void end_by_sigpipe(void)
{
	if (sigpipe_is_ignored)
		return;
	(void)sigaction(SIGPIPE, &by_default, NULL);
	(void)raise(SIGPIPE);
}

int output_finish(int status)
{
	bool flushed;
	int failed;

	errno = write_error;
	flushed = fflush(stdout) == 0;
	if (!output_failed() && flushed)
		return status;
	failed = status == 0 || status == EXIT_NEGATIVE || status == EX_TEMPFAIL
			 ? EX_IOERR
			 : status;
	if (write_error == EPIPE || reader_is_gone()) {
		if (failed == EX_IOERR)
			end_by_sigpipe();
		return failed;
	}
	(void)admin_fail(EX_IOERR, "cannot write the output%s%s",
			 write_error != 0 ? ": " : "",
			 write_error != 0 ? strerror(write_error) : "");
	return failed;
}

static struct json_object *have(struct json_object *o)
{
	if (o == NULL)
		exit(output_finish(admin_fail(EX_OSERR, "out of memory")));
	return o;
}

struct json_object *output_object(void)
{
	return have(json_object_new_object());
}

struct json_object *output_array(void)
{
	return have(json_object_new_array());
}

void output_json(struct json_object *o)
{
	const struct span text = json_write(o);

	(void)printf("%.*s\n", SPAN_ARG(text));
	(void)output_failed();
	json_object_put(o);
}

void output_set_time(struct json_object *o, const char *key, int64_t t,
		     int64_t absent)
{
	char text[RFC3339_LEN + 1];

	if (t == absent) {
		(void)json_object_object_add(o, key, NULL);
		return;
	}
	rfc3339_format(t, text);
	json_set_str(o, key, text);
}

void output_text(const char *s, int width)
{
	int column = 0;

	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		(void)putchar(c < 0x20 || c == 0x7f ? '?' : c);
		column += (c & 0xc0) != 0x80; /* UTF-8: first bytes only */
	}
	for (; column < width; column++)
		(void)putchar(' ');
	(void)output_failed();
}
