#include "cgi-auth/admin/prompt.h"

#include "cgi-auth/password/user_rules.h"
#include "common/admin/exit_status.h"
#include "common/admin/failure.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum {
	LINE_MAX_BYTES = BASIC_PASSWORD_MAX + 3, /* with "\r\n" and a NUL */
};

/* Signals that would end the program while the echo is off */
static const int caught[] = { SIGHUP,  SIGINT,	SIGQUIT, SIGTERM,
			      SIGTSTP, SIGTTIN, SIGTTOU };
enum { CAUGHT = sizeof(caught) / sizeof(*caught) };

static volatile sig_atomic_t got_signal;

static void remember_signal(int sig)
{
	got_signal = sig;
}

/* Read one line from `fd` without its end, truncated if it is too long for any
 * password; -1 at an error or a signal. Read byte by byte, to leave the bytes
 * after the line to the next reader. */
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

/* Ask once, with the echo off and the signals caught */
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

/* Ask, and raise a signal that arrived in the meantime once the echo is on
 * again. It ends the program, or stops it; if it continues, ask again. */
static int ask_safely(int tty, const char *question,
		      char line[static LINE_MAX_BYTES])
{
	struct sigaction was[CAUGHT], catch = { .sa_handler = remember_signal };
	int n;

	do {
		got_signal = 0;
		(void)sigemptyset(&catch.sa_mask);
		for (size_t i = 0; i < CAUGHT; i++)
			(void)sigaction(caught[i], &catch, &was[i]);
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
		return admin_fail_usage("there is no terminal to ask for the "
					"password at; use --password-stdin");
	(void)snprintf(question, sizeof(question),
		       "New password for %s: ", email);
	if (ask_safely(tty, question, out) < 0 ||
	    ask_safely(tty, "Repeat it: ", again) < 0)
		status = admin_fail(EXIT_NEGATIVE,
				    "cannot read the password (%s)",
				    strerror(errno));
	else if (strcmp(out, again) != 0)
		status =
			admin_fail(EXIT_NEGATIVE,
				   "the passwords differ; nothing was changed");
	sodium_memzero(again, sizeof(again));
	(void)close(tty);
	return status;
}

int prompt_password(bool from_stdin, const char *email,
		    char out[static BASIC_PASSWORD_MAX + 1])
{
	char line[LINE_MAX_BYTES] = "";
	const char *fault;
	int status = 0;

	if (!from_stdin)
		status = from_terminal(email, line);
	else if (read_line(STDIN_FILENO, line) < 0)
		status = admin_fail(EXIT_NEGATIVE,
				    "cannot read the password from standard "
				    "input (%s)",
				    strerror(errno));
	if (status == 0) {
		fault = user_password_fault(span_of(line));
		if (fault != NULL)
			status = admin_fail(EXIT_NEGATIVE, "the password %s",
					    fault);
		else
			memcpy(out, line, strlen(line) + 1);
	}
	sodium_memzero(line, sizeof(line));
	return status;
}

bool prompt_yes(const char *question, bool *asked)
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
