/* gateway.h - a gateway in one process: a store in a folder of its own, a
 * database or none, and requests that come from memory. Each has passed
 * bearer_check() already. */
#ifndef GATEWAY_H
#define GATEWAY_H

#include "cgi-gateway/app/app.h"
#include "cgi-gateway/routes.h"
#include "cgi-gateway/store/disk/store_disk.h"
#include "common/http/problem.h"
#include "tests/unit/cgi-gateway/file_table.h"
#include "tests/unit/cgi-gateway/folder.h"
#include "tests/unit/transport_memory.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

enum {
	GATEWAY_NOW = 1767225600,   /* 2026-01-01T00:00:00Z */
	GATEWAY_USER = 42,	    /* sends the requests by default */
	GATEWAY_OTHER = 7,	    /* another user, with a session */
	GATEWAY_MAX_UPLOAD = 10000, /* bytes */
	GATEWAY_MAX_FILES = 3,
	GATEWAY_UPLOAD_LIFE = 1000, /* seconds */
	GATEWAY_MAX_UNFINISHED = 100000,
};

struct gateway {
	char dir[FOLDER_PATH_MAX];
	struct app app;
	struct memory memory; /* of the last request */
	struct arena arena;
	struct response rs;
	/* in an access token; the session is session_of(claims.user_id) */
	struct claims claims;
	const char *api;      /* an API token's session instead, */
	const char *secret;   /* and its secret */
	struct request asked; /* the last request, after its answer */
	int64_t now;
	int64_t (*clock)(void); /* the request's; NULL: no time passes */
	enum err e;		/* what the handler returned */
};

/* Who may ask: once for a database */
static inline void gateway_people(struct db *db)
{
	file_table_make();
	sessions_user(db, GATEWAY_USER, "ann@example.org", false);
	sessions_user(db, GATEWAY_OTHER, "root@example.org", true);
}

/* No files, and a session for each of them */
static inline void gateway_clear(struct db *db)
{
	file_table_clear(db);
	sessions_disable(db, GATEWAY_USER, false);
	sessions_put(db, &(struct session) { .user = GATEWAY_USER });
	sessions_put(db, &(struct session) { .user = GATEWAY_OTHER });
}

static inline void gateway_open(struct gateway *g, struct db *db)
{
	static char nothing[] = "", refuse[] = "refuse";

	*g = (struct gateway) {
		.claims = { .user_id = GATEWAY_USER,
			    .email = "ann@example.org",
			    .scope = "files:read files:write" },
		.now = GATEWAY_NOW,
	};
	folder_make(g->dir);
	g->app.max_upload = GATEWAY_MAX_UPLOAD;
	g->app.max_files = GATEWAY_MAX_FILES;
	g->app.content_scanner =
		(struct content_scanner) { .magic_database = nothing,
					   .clamd = nothing,
					   .clamd_larger = refuse };
	assert_ok(content_scanner_open(&g->app.content_scanner, NULL));
	g->app.upload_life = GATEWAY_UPLOAD_LIFE;
	g->app.max_unfinished = GATEWAY_MAX_UNFINISHED;
	g->app.db = db;
	g->app.public_url = "";
	assert_ok(store_disk_open(g->dir, &g->app.store, NULL));
	assert_ok(files_batch_open(db, &g->app.quota, &g->app.webhook_targets,
				   &g->app.batch));
	arena_init(&g->arena);
	memory_init(&g->memory, "GET", "/");
}

/* Handlers use this database from now on */
static inline void gateway_use(struct gateway *g, struct db *db)
{
	g->app.db = db;
	files_batch_close(g->app.batch);
	assert_ok(files_batch_open(db, &g->app.quota, &g->app.webhook_targets,
				   &g->app.batch));
}

static inline void gateway_close(struct gateway *g)
{
	memory_release(&g->memory);
	arena_release(&g->arena);
	store_close(g->app.store);
	files_batch_close(g->app.batch);
	content_scanner_close(&g->app.content_scanner);
	folder_remove(g->dir);
}

/* Begin the next request; the test may set more of g->memory then. `url` is a
 * literal or outlives the request. */
static inline void gateway_request(struct gateway *g, const char *method,
				   const char *path, const char *query)
{
	memory_release(&g->memory);
	memory_init(&g->memory, method, path);
	memory_set(&g->memory, "QUERY_STRING", query);
}

/* The handler's row in the table of routes */
static inline const struct route *gateway_route(handler_fn *handle)
{
	const struct route *route = gateway_routes;

	while (route->handle != handle)
		assert_true(++route < gateway_routes + GATEWAY_ROUTES);
	return route;
}

/* The session as the route wants it checked, then the handler */
static inline enum err gateway_handle(struct gateway *g, struct request *rq,
				      const struct route *route)
{
	struct session_check session;
	enum err e;

	if (route->scope == NULL)
		return route->handle(&g->app, rq, &g->rs);
	session_check_init(&session, rq, route->scope);
	rq->session = &session;
	e = session_check_before(g->app.db, route, &session, &g->rs);
	if (e == ERR_OK)
		e = route->handle(&g->app, rq, &g->rs);
	rq->session = NULL;
	return e;
}

/* Respond; `param` is what the route's "*" matches. Returns the status. */
static inline int gateway_answer(struct gateway *g, handler_fn *handle,
				 struct span param)
{
	struct request rq;

	assert_ok(request_init(&rq, &g->memory.base, &g->arena, "cgi-gateway",
			       g->now * 1000));
	if (g->api != NULL) {
		session_show(&rq, g->api, g->secret);
	} else {
		session_show(&rq, session_of(g->claims.user_id), NULL);
		rq.authenticated = true;
		rq.claims = g->claims;
	}
	rq.clock = g->clock;
	rq.param = param;
	response_init(&g->rs, &g->memory.base, rq.head);
	g->e = gateway_handle(g, &rq, gateway_route(handle));
	if (g->e != ERR_OK && !g->rs.started)
		(void)!problem_answer(&rq, &g->rs, g->e);
	assert_ok(g->memory.base.ops->finish(&g->memory.base));
	response_release(&g->rs);
	g->asked = rq;
	arena_reset(&g->arena);
	return memory_status(&g->memory);
}

/* GATEWAY_USER with an access token, for files.h */
static inline struct session_check *gateway_session(const struct gateway *g)
{
	static struct request rq;
	static struct session_check session;

	rq.now = g->now;
	session_show(&rq, session_of(GATEWAY_USER), NULL);
	session_check_init(&session, &rq, "");
	return &session;
}

/* Their rows, as if an upload had made them */
static inline enum err gateway_add(const struct gateway *g,
				   const struct file *files, size_t count)
{
	return files_add(g->app.db, gateway_session(g), 0, &g->app.quota, files,
			 count, NULL, NULL);
}

/* The position of `part` in the response's body, or the body's length */
static inline size_t gateway_find(const struct gateway *g, const char *part)
{
	struct span body = memory_answer(&g->memory);
	size_t i = 0;

	while (i < body.len &&
	       !span_has_prefix(span_from(body, i), span_of(part)))
		i++;
	return i;
}

static inline bool gateway_said(const struct gateway *g, const char *part)
{
	struct span body = memory_answer(&g->memory);

	if (gateway_find(g, part) < body.len)
		return true;
	print_error("\"%.*s\" lacks \"%s\"\n", SPAN_ARG(body), part);
	return false;
}

/* Objects that are finished, and such that are under way */
static inline size_t gateway_objects(const struct gateway *g)
{
	char path[FOLDER_PATH_MAX + 16];

	(void)snprintf(path, sizeof(path), "%s/objects", g->dir);
	return folder_files(path);
}

static inline size_t gateway_unfinished(const struct gateway *g)
{
	return folder_files(g->dir) - gateway_objects(g);
}

/* A pool of connections to where no server is */
static inline struct db *gateway_no_database(void)
{
	const struct db_config nowhere = { .socket = "/nowhere/sock",
					   .user = "root",
					   .name = "test",
					   .pool = 1,
					   .timeout = 1 };
	struct db *db = NULL;

	assert_ok(db_open(&nowhere, &db, NULL));
	return db;
}

#endif
