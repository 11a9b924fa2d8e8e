/* fcgi-probe - ask a FastCGI program how it is, as a web server would. */
#include "common/admin/options.h"
#include "fcgi-probe/ask.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

enum {
	TIMEOUT_DEFAULT = 3, /* seconds */
	TIMEOUT_MAX = 3600,
	BODY_SHOWN = 300, /* bytes of an answer that is not what we want */
	UNWELL = 1,	  /* our exit status then */
};

struct question {
	const char *where, *path;
	int64_t timeout; /* seconds */
};

static void help(void)
{
	(void)printf(
		"usage: fcgi-probe [--path PATH] [--timeout SECONDS] ADDRESS\n"
		"\n"
		"Asks the FastCGI program at ADDRESS for PATH, and ends with 0 "
		"if the answer is a\n2xx. If not it says why, on one line, and "
		"ends with 1. For health checks of\ncontainers, where there is "
		"no HTTP to ask by.\n"
		"\n"
		"  ADDRESS            /path/of/a/socket, 127.0.0.1:9000 or "
		"[::1]:9000\n"
		"  --path PATH        /readyz (the default) is for whether it "
		"can serve,\n"
		"                     /healthz for whether it lives\n"
		"  --timeout SECONDS  for all of it, 1 to 3600 (default 3)\n"
		"\n"
		"Exit status: 0 well, 1 not, 64 wrong usage.\n");
}

/* One line for a person: what others wrote may hold anything */
static void show(struct span body)
{
	for (size_t i = 0; i < body.len && i < BODY_SHOWN; i++)
		(void)fputc(body.p[i] >= ' ' && body.p[i] <= '~' ? body.p[i]
								 : ' ',
			    stderr);
}

static int usage(const char *why)
{
	(void)fprintf(stderr, "%s; see fcgi-probe --help\n", why);
	return EX_USAGE;
}

static int probe(const struct question *q, const struct address *where)
{
	struct errmsg why = { "" };
	struct answer a = { 0 };
	struct buf text;
	int status = UNWELL;

	buf_init(&text, ANSWER_MAX);
	if (ask(where, span_of(q->path), q->timeout * 1000, &text, &a, &why) !=
	    ERR_OK) {
		(void)fprintf(stderr, "fcgi-probe: %s at %s: %s\n", q->path,
			      q->where, why.text);
	} else if (a.status < 200 || a.status > 299) {
		(void)fprintf(stderr,
			      "fcgi-probe: %s at %s answers %d: ", q->path,
			      q->where, a.status);
		show(a.body);
		(void)fputc('\n', stderr);
	} else {
		status = 0;
	}
	buf_release(&text);
	return status;
}

int main(int argc, char **argv)
{
	struct question q = { NULL, "/readyz", TIMEOUT_DEFAULT };
	const struct option_place options[] = {
		{ .name = "path", .value = &q.path },
		{ .name = "timeout", .number = &q.timeout },
	};
	static char name[] = "fcgi-probe";
	struct errmsg why = { "" };
	struct address where;

	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		return help(), 0;
	if (argc > 1 && strcmp(argv[1], "--version") == 0)
		return printf("fcgi-probe %s\n", GATEHOUSE_VERSION), 0;
	if (argc > 0)
		argv[0] = name;
	if (options_read(argc, argv, options, 2, "ADDRESS", &q.where, &why) !=
	    ERR_OK)
		return usage(why.text);
	if (q.timeout < 1 || q.timeout > TIMEOUT_MAX)
		return usage("fcgi-probe: --timeout takes 1 to 3600 seconds");
	if (q.path[0] != '/')
		return usage("fcgi-probe: --path takes a path, which begins "
			     "with /");
	if (address_parse(q.where, &where, &why) != ERR_OK) {
		(void)fprintf(stderr, "fcgi-probe: %s\n", why.text);
		return EX_USAGE;
	}
	return probe(&q, &where);
}
