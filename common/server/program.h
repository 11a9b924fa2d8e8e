/* program.h - the main() of both services: settings, start, requests, end.
 *
 * main() of a program describes it in a `struct program` and returns
 * program_main(). What follows is the same for each:
 *
 *   --help, --version, --check  print it, exit 0
 *   a wrong setting             one line on stderr, exit 78 (EX_CONFIG)
 *   descriptor 0 listens        FastCGI: THREADS threads serve until SIGTERM or
 *                               SIGINT; then they accept no more requests,
 *                               finish those under way, exit 0; or 71
 *                               (EX_OSERR) if another process that shares the
 *                               socket shuts it down
 *   a CGI environment           one request, exit 0
 *   neither                     how to start it on stderr, exit 64 (EX_USAGE)
 *
 * SIGPIPE is ignored: a client that disconnects ends its own request only.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "common/codec/config.h"
#include "common/db/db.h"
#include "common/http/router.h"
#include "common/metrics/metrics.h"
#include "common/server/settings.h"

/* The state of a running program, shared by all threads and never changed after
 * the start. */
struct service {
	bool check_only; /* --check: create and change nothing */
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
	/* The only handler in FastCGI's Authorizer role: 200 lets the request
	 * pass. NULL: the program refuses the role, so that the answer of one
	 * of its routes can never be taken for a permission. */
	handler_fn *authorize;
	/* Called for each request before it is routed: it may set headers that
	 * every answer will have (response_keep()), or change the method. NULL:
	 * none. */
	void (*arrive)(void *app, struct request *rq, struct response *rs);
	/* Prefixes of paths, ended by NULL. The rest of such a path is a secret
	 * and never logged. NULL: no path has one. */
	const char *const *secret_paths;
	/* Prepare the rest of `app`, with `s`; an error ends the program. NULL:
	 * nothing to do. */
	enum err (*open)(void *app, struct service *s, struct errmsg *why);
	void (*close)(void *app); /* may be NULL */
	/* The system started only `threads` of THREADS: adjust what `open`
	 * sized by that setting. Called before the first request; may be NULL.
	 */
	void (*fewer_threads)(void *app, size_t threads);
};

int program_main(const struct program *p, int argc, char **argv);

#endif
