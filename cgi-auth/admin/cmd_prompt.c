#include "cgi-auth/admin/cmd_prompt.h"

#include "cgi-auth/admin/cmd_report.h"
#include "cgi-auth/password/user_rules.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum {
	LINE_MAX_BYTES = BASIC_PASSWORD_MAX + 3, /* and "\r\n", and a NUL */
};

/* Signals that would leave a terminal without echo behind */
static const int caught[] = { SIGHUP,  SIGINT,	SIGQUIT, SIGTERM,
			      SIGTSTP, SIGTTIN, SIGTTOU };
enum { CAUGHT = sizeof(caught) / sizeof(*caught) };

static volatile sig_atomic_t got_signal;

static void note_signal(int sig)
{
	got_signal = sig;
}

/* One line from `fd` without its end, cut where it is too long for any
 * password; -1 at an error or a signal. Byte by byte: what follows is not
 * ours. */
static int read_line(int fd, char line[static LINE_MAX_BYTES])
{
	size_t n = 0;

	while (n < LINE_MAX_BYTES - 1) {
		ssize_t got = read(fd, line + n, 1);

		if (got < 0)
			return -1;
		if (got == 0 || line[n] == '\n') {
			n -= n > 0 && got > 0 && line[n - 1] == '\r';
			line[n] = '\0';
			return (int)n;
		}
		n++;
	}
	line[n] = '\0';
	return (int)n;
}

/* Ask once, with the echo off; the signals are caught */
static int ask(int tty, const char *question, char line[static LINE_MAX_BYTES])
{
	struct termios was, quiet;
	int n;

	if (tcgetattr(tty, &was) != 0)
		return -1;
	quiet = was;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	if (tcsetattr(tty, TCSAFLUSH, &quiet) != 0)
		return -1;
	(void)dprintf(tty, "%s", question);
	n = read_line(tty, line);
	(void)dprintf(tty, "\n");
	(void)tcsetattr(tty, TCSAFLUSH, &was);
	return n;
}

/* Ask, and let a signal that came have its way once the echo is back: it ends
 * us, or stops us and we ask again. */
static int ask_safely(int tty, const char *question,
		      char line[static LINE_MAX_BYTES])
{
	struct sigaction was[CAUGHT], note = { .sa_handler = note_signal };
	int n;

	do {
		got_signal = 0;
		(void)sigemptyset(&note.sa_mask);
		for (size_t i = 0; i < CAUGHT; i++)
			(void)sigaction(caught[i], &note, &was[i]);
		n = ask(tty, question, line);
		for (size_t i = 0; i < CAUGHT; i++)
			(void)sigaction(caught[i], &was[i], NULL);
		if (got_signal != 0)
			(void)raise(got_signal);
	} while (got_signal != 0);
	return n;
}

static int from_terminal(const char *email, char out[static LINE_MAX_BYTES])
{
	int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	char again[LINE_MAX_BYTES] = "", question[BASIC_USER_MAX + 32];
	int status = 0;

	if (tty < 0)
		return cmd_fail(EX_USAGE, "there is no terminal to ask for the "
					  "password at; use --password-stdin");
	(void)snprintf(question, sizeof(question),
		       "New password for %s: ", email);
	if (ask_safely(tty, question, out) < 0 ||
	    ask_safely(tty, "The same again: ", again) < 0)
		status = cmd_fail(EXIT_REFUSED, "no password was read (%s)",
				  strerror(errno));
	else if (strcmp(out, again) != 0)
		status = cmd_fail(EXIT_REFUSED,
				  "the two are not the same; nothing was "
				  "changed");
	sodium_memzero(again, sizeof(again));
	(void)close(tty);
	return status;
}

int cmd_prompt_password(bool from_stdin, const char *email,
			char out[static BASIC_PASSWORD_MAX + 1])
{
	char line[LINE_MAX_BYTES] = "";
	const char *fault;
	int status = 0;

	if (!from_stdin)
		status = from_terminal(email, line);
	else if (read_line(STDIN_FILENO, line) < 0)
		status = cmd_fail(EXIT_REFUSED,
				  "no password was read from "
				  "standard input (%s)",
				  strerror(errno));
	if (status == 0) {
		fault = user_password_fault(span_of(line));
		if (fault != NULL)
			status = cmd_fail(EXIT_REFUSED, "the password %s",
					  fault);
		else
			memcpy(out, line, strlen(line) + 1);
	}
	sodium_memzero(line, sizeof(line));
	return status;
}

bool cmd_prompt_yes(const char *question, bool *asked)
{
	char answer[LINE_MAX_BYTES] = "";

	*asked = isatty(STDIN_FILENO) != 0;
	if (!*asked)
		return false;
	(void)fprintf(stderr, "%s [y/N] ", question);
	(void)fflush(stderr);
	return read_line(STDIN_FILENO, answer) > 0 &&
	       (strcmp(answer, "y") == 0 || strcmp(answer, "yes") == 0);
}
