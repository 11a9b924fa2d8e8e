#include "common/http/transport_fcgi.h"

#include "common/http/fcgi_input.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcgios.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

struct fcgi {
	struct transport base;
	FCGX_Request request;
	struct fcgi_input input;
};

static struct fcgi *of(struct transport *t)
{
	return (struct fcgi *)t;
}

static void ignore_wake(int sig)
{
	(void)sig; /* all it does is interrupt accept */
}

/* Unblock (SIG_UNBLOCK) or block (SIG_BLOCK) the wake-up signal */
static void mask_wake(int how)
{
	sigset_t wake;

	(void)sigemptyset(&wake);
	(void)sigaddset(&wake, TRANSPORT_FCGI_WAKE);
	(void)pthread_sigmask(how, &wake, NULL);
}

/* systemd's socket outlives this process, which must not shut it down */
static bool is_ours(void)
{
	return getenv("LISTEN_FDS") == NULL;
}

static bool is_unix(void)
{
	struct sockaddr_storage name = { .ss_family = AF_UNSPEC };
	socklen_t size = sizeof(name);

	return getsockname(0, (struct sockaddr *)&name, &size) == 0 &&
	       name.ss_family == AF_UNIX;
}

/* libfcgi reads the variables of a request inside its accept, and treats EINTR
 * there as a broken connection. So reads are restarted after the signal
 * (SA_RESTART) and accept is not: signal(7) exempts sockets that have a receive
 * timeout. The timeout set here is too long ever to expire. Connections of a
 * Unix socket do not inherit it; those of TCP would, and their reads would be
 * interrupted. TCP does not need it: shutting down a TCP socket wakes every
 * thread in accept. */
static bool make_accept_interruptible(void)
{
	const struct timeval ages = { .tv_sec = 1000000 };
	struct sigaction wake = { .sa_handler = ignore_wake,
				  .sa_flags = SA_RESTART };

	(void)sigemptyset(&wake.sa_mask);
	mask_wake(SIG_BLOCK);
	if (sigaction(TRANSPORT_FCGI_WAKE, &wake, NULL) != 0)
		return false;
	return (is_ours() && !is_unix()) ||
	       setsockopt(0, SOL_SOCKET, SO_RCVTIMEO, &ages, sizeof(ages)) == 0;
}

bool transport_fcgi_ready(void)
{
	int listening = 0;
	socklen_t size = sizeof(listening);

	/* FCGX_IsCGI() relies on getpeername(), which a stray socket on
	 * descriptor 0 can deceive */
	if (getsockopt(0, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 ||
	    !listening)
		return false;
	/* libfcgi sets its own signal handlers, so ours are set afterwards */
	return FCGX_Init() == 0 && make_accept_interruptible();
}

bool transport_fcgi_refuse(void)
{
	/* After SHUT_RD, a Unix socket keeps its queue of connections; TCP
	 * resets them */
	return is_ours() && shutdown(0, SHUT_RD) == 0;
}

static enum err fcgi_accept(struct transport *t)
{
	int result;

	mask_wake(SIG_UNBLOCK);
	result = FCGX_Accept_r(&of(t)->request);
	mask_wake(SIG_BLOCK);
	if (result == 0) {
		fcgi_input_begin(&of(t)->input, &of(t)->request);
		return ERR_OK;
	}
	if (result == -EINTR)
		return ERR_CLOSED;
	if (result == -EINVAL)
		return ERR_GONE;
	return err_of_errno(-result) == ERR_OVERLOADED ? ERR_OVERLOADED
						       : ERR_IO;
}

static const char *fcgi_variable(struct transport *t, const char *name)
{
	return FCGX_GetParam(name, of(t)->request.envp);
}

static size_t fcgi_count(struct transport *t, const char *name)
{
	return transport_count(of(t)->request.envp, name);
}

static enum err fcgi_read(struct transport *t, struct span *chunk)
{
	FCGX_Stream *in = of(t)->request.in;

	/* FCGX_GetStr would copy. The stream's buffer is public, so the bytes
	 * are used in place */
	if (in->rdNext == in->stop) {
		if (in->isClosed) {
			*chunk = (struct span) { NULL, 0 };
			return ERR_OK;
		}
		fcgi_input_fill(&of(t)->input);
	}
	if (FCGX_GetError(in) != 0)
		return ERR_CLOSED;
	*chunk = (struct span) { (const char *)in->rdNext,
				 (size_t)(in->stop - in->rdNext) };
	in->rdNext = in->stop;
	return ERR_OK;
}

static bool fcgi_ready(struct transport *t, int ms)
{
	struct pollfd socket = { .fd = of(t)->request.ipcFd, .events = POLLIN };

	return fcgi_input_ready(&of(t)->input) ||
	       (ms > 0 && poll(&socket, 1, ms) != 0);
}

static enum err fcgi_write(struct transport *t, struct span bytes)
{
	FCGX_Stream *out = of(t)->request.out;

	/* bytes.len is limited by the callers' buffers, far below INT_MAX */
	if (FCGX_PutStr(bytes.p, (int)bytes.len, out) != (int)bytes.len)
		return ERR_CLOSED;
	return ERR_OK;
}

static enum err fcgi_finish(struct transport *t)
{
	FCGX_Request *rq = &of(t)->request;
	/* FCGX_Finish_r() closes both streams, in this order, but ignores the
	 * results; it will find them closed */
	int failed = FCGX_FClose(rq->err) | FCGX_FClose(rq->out);

	fcgi_input_end(&of(t)->input);
	FCGX_Finish_r(rq);
	return failed == 0 ? ERR_OK : ERR_CLOSED;
}

static void fcgi_free(struct transport *t)
{
	FCGX_Free(&of(t)->request, 1);
	free(t);
}

struct transport *transport_fcgi_new(void)
{
	static const struct transport_ops ops = {
		.accept = fcgi_accept,
		.variable = fcgi_variable,
		.count = fcgi_count,
		.read = fcgi_read,
		.ready = fcgi_ready,
		.write = fcgi_write,
		.finish = fcgi_finish,
		.free = fcgi_free,
	};
	struct fcgi *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->base.ops = &ops;
	/* Without the flag, accept would restart after a signal */
	if (FCGX_InitRequest(&f->request, 0, FCGI_FAIL_ACCEPT_ON_INTR) != 0) {
		free(f);
		return NULL;
	}
	return &f->base;
}
