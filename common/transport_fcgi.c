#include "transport_fcgi.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcgios.h>
#include <stdlib.h>
#include <sys/socket.h>

struct fcgi {
	struct transport base;
	FCGX_Request request;
};

static struct fcgi *of(struct transport *t)
{
	return (struct fcgi *)t;
}

bool transport_fcgi_ready(void)
{
	int listening = 0;
	socklen_t size = sizeof(listening);

	/* FCGX_IsCGI() asks getpeername(), which a stray socket on descriptor
	 * 0 can fool */
	if (getsockopt(0, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 ||
	    !listening)
		return false;
	return FCGX_Init() == 0;
}

static enum err fcgi_accept(struct transport *t)
{
	int result = FCGX_Accept_r(&of(t)->request);

	if (result == 0)
		return ERR_OK;
	return result == -EINTR ? ERR_CLOSED : ERR_IO;
}

static const char *fcgi_variable(struct transport *t, const char *name)
{
	return FCGX_GetParam(name, of(t)->request.envp);
}

static enum err fcgi_read(struct transport *t, struct span *chunk)
{
	FCGX_Stream *in = of(t)->request.in;

	/* FCGX_GetStr would copy; the stream's own buffer is public, so the
	 * bytes are used where the socket's read put them */
	if (in->rdNext == in->stop) {
		if (in->isClosed) {
			*chunk = (struct span) { NULL, 0 };
			return ERR_OK;
		}
		in->fillBuffProc(in);
		in->stopUnget = in->rdNext;
	}
	if (FCGX_GetError(in) != 0)
		return ERR_CLOSED;
	*chunk = (struct span) { (const char *)in->rdNext,
				 (size_t)(in->stop - in->rdNext) };
	in->rdNext = in->stop;
	return ERR_OK;
}

static enum err fcgi_write(struct transport *t, struct span bytes)
{
	FCGX_Stream *out = of(t)->request.out;

	/* bytes.len is bounded by the callers' buffers, far under INT_MAX */
	if (FCGX_PutStr(bytes.p, (int)bytes.len, out) != (int)bytes.len)
		return ERR_CLOSED;
	return ERR_OK;
}

static enum err fcgi_finish(struct transport *t)
{
	FCGX_Finish_r(&of(t)->request);
	return ERR_OK;
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
		.read = fcgi_read,
		.write = fcgi_write,
		.finish = fcgi_finish,
		.free = fcgi_free,
	};
	struct fcgi *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->base.ops = &ops;
	/* Without the flag, accept would begin again after a signal */
	if (FCGX_InitRequest(&f->request, 0, FCGI_FAIL_ACCEPT_ON_INTR) != 0) {
		free(f);
		return NULL;
	}
	return &f->base;
}
