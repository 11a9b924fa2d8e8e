/* program.h - the life of a program: settings, initialization, requests, the
 * end.
 *
 * main() of a program describes it in a `struct program` and returns
 * program_main(). The rest is the same for all programs:
 *
 *   --help, --version, --check  print it, exit 0
 *   a wrong setting             one line on stderr, exit 78 (EX_CONFIG)
 *   descriptor 0 listens        FastCGI: threads serve until SIGTERM or SIGINT; then no more are accepted, requests in
 *                               progress are finished, exit 0; or 71
 *                               (EX_OSERR) when another process that has the
 *                               socket shuts it
 *   a CGI environment           one request, exit 0
 *   neither                     how to start it on stderr, exit 64 (EX_USAGE)
 *
 * SIGPIPE is ignored: a client that closes its connection ends only its own
 * request.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "common/base/worker_slots.h"
#include "common/codec/config.h"
#include "common/db/db_known.h"
#include "common/http/router.h"
#include "common/metrics/metrics.h"
#include "common/server/settings.h"

enum {
	PROGRAM_BODY_MAX = 64 * 1024, /* bytes of a body without admission */
};

/* The resources of a running program; shared by all threads, not modified after
 * the start. */
struct service {
	bool check_only; /* --check: create and change nothing */
	struct settings settings;
	struct metrics *metrics;
	struct db *db;
	struct keyring_file *keys;
	struct jwt_rules rules;
	struct worker_slots *slots; /* NULL: a process for each request */
};

struct program {
	const char *name, *summary;
	struct settings_defaults defaults;
	const struct config_item *items; /* its own settings, into `app` */
	size_t item_count;
	struct router router;
	void *app; /* the first argument of its handlers */
	/* Which rows it changes that other programs may remember, and how large
	 * those are that it remembers itself (db_known.h) */
	enum db_known_of changes;
	size_t row_size;
	/* Replaces all routes in FastCGI's Authorizer role: 200 lets the
	 * request pass. NULL: see admission_end. */
	handler_fn *authorize;
	/* Called when a request ends that has reserved something, rq->admission
	 * (request.h), and is not one that only asked.
	 * Without `authorize`, a program that has this decides, in the same
	 * role, whether the server may receive the body of a request to itself:
	 * the handler of a route with ASKED_FIRST returns ERR_OK without a
	 * response. Of other routes the server may receive PROGRAM_BODY_MAX
	 * bytes. A program without both refuses the role, so that the response
	 * of a route can never be mistaken for permission. */
	void (*admission_end)(void *app, const char *id);
	/* Called for each request before it is routed: it may set headers that
	 * every response to it will have (response_keep()), or its method. May
	 * be NULL. */
	void (*arrive)(void *app, struct request *rq, struct response *rs);
	/* Called before the query of a request to a route with ASKED_FIRST is
	 * compared with its parameters, to explain what it finds better. May be
	 * NULL. */
	enum err (*check_query)(const struct request *rq, struct response *rs);
	/* Where the server asks the next program about a request without a body
	 * that none of these routes serves (server_error.h); NULL: there is no
	 * next one. */
	const char *next_at_error;
	/* Prefixes of paths that are followed by a secret, which no log line
	 * shows. Ends with NULL. */
	const char *const *secret_paths;
	/* Initialize the rest of `app` from `s`. Any error stops the program.
	 * May be NULL. */
	enum err (*open)(void *app, struct service *s, struct errmsg *why);
	void (*close)(void *app); /* may be NULL */
};

int program_main(const struct program *p, int argc, char **argv);

#endif
