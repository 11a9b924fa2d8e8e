/* program.h - a program's life: settings, what it has, requests, the end.
 *
 * main() of a program describes it in a `struct program` and returns
 * program_main(). What follows is the same for each:
 *
 *   --help, --version, --check  say so and exit 0
 *   a setting that is wrong     one line on stderr, exit 78 (EX_CONFIG)
 *   descriptor 0 listens        FastCGI: THREADS threads serve until SIGTERM or
 *                               SIGINT; then none accepts any more, requests
 *                               under way are finished, exit 0; or 71
 *                               (EX_OSERR) when another process that has the
 *                               socket shuts it
 *   a CGI environment           one request, exit 0
 *   neither                     how to start it, exit 64 (EX_USAGE)
 *
 * SIGPIPE is ignored: a client that goes away ends its request only.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "common/codec/config.h"
#include "common/db/db.h"
#include "common/http/router.h"
#include "common/metrics/metrics.h"
#include "common/server/settings.h"

/* What a program has while it runs; shared by all threads, never written to
 * after the start. */
struct service {
	bool check_only; /* --check: look, but make and change nothing */
	struct settings settings;
	struct metrics *metrics;
	struct db *db;
	struct keyring_file *keys;
	struct jwt_rules rules;
};

struct program {
	const char *name, *summary;
	struct settings_defaults defaults;
	const struct config_item *items; /* its own settings, into `app` */
	size_t item_count;
	struct router router;
	void *app; /* the first argument of its handlers */
	/* Answers, in place of all routes, in FastCGI's Authorizer role: 200
	 * lets the request pass. NULL: the program refuses the role, so that a
	 * route of its own can never be taken for a yes. */
	handler_fn *authorize;
	/* Sees each request before it is routed: it may set headers that every
	 * answer to it will have (response_keep()), or its method. NULL: none.
	 */
	void (*arrive)(void *app, struct request *rq, struct response *rs);
	/* What stands behind one of these prefixes of a path is a secret, and
	 * no log line shows it. NULL stands behind the last; or alone, if no
	 * path has one. */
	const char *const *secret_paths;
	/* Make the rest of `app` ready, with what `s` has; ERR_CONFIG or worse
	 * stops the program. NULL: nothing to do. */
	enum err (*open)(void *app, struct service *s, struct errmsg *why);
	void (*close)(void *app); /* may be NULL */
	/* The system refused some of the THREADS, and `threads` will serve: for
	 * what `open` sized by the setting. Called before the first request;
	 * may be NULL. */
	void (*fewer_threads)(void *app, size_t threads);
};

int program_main(const struct program *p, int argc, char **argv);

#endif
