#include "common/server/program.h"

#include "common/access/session_row.h"
#include "common/http/transport_cgi.h"
#include "common/http/transport_fcgi.h"
#include "common/log/log.h"
#include "common/server/dispatch.h"
#include "common/server/workers.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum {
	MEMORY_ARENAS = 4, /* that the threads share */
	/* Bytes: from this size on a block is returned to the system at once.
	 * Buffers of an upload are smaller, and are used again */
	MEMORY_LARGE = 256 * 1024,
	MEMORY_KEPT = 128 * 1024, /* bytes at the end of the heap */
};

static void serve_cgi(const struct program *p, const struct service *s)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct transport *t = transport_cgi_new();
	struct arena arena;

	if (t == NULL)
		exit(EX_OSERR);
	(void)sigaction(SIGPIPE, &ignore, NULL);
	/* lighttpd sends SIGTERM as soon as it has the whole response, before
	 * the log line is written. The process ends anyway after one request.
	 */
	(void)sigaction(SIGTERM, &ignore, NULL);
	arena_init(&arena);
	if (t->ops->accept(t) == ERR_OK)
		dispatch_run(p, s, t, &arena);
	t->ops->free(t);
	arena_release(&arena);
}

static void print_help(const struct program *p)
{
	(void)printf("%s - %s\n\n"
		     "Not run by hand: lighttpd or spawn-fcgi starts it as a "
		     "FastCGI program, or any\nserver as a CGI program.\n\n"
		     "  --check    print the configuration in force, or what "
		     "is wrong with it\n"
		     "  --version  print the version\n\n"
		     "Settings, from the environment as NAME, from a file "
		     "named by NAME_FILE, or as\nlines NAME=value in the file "
		     "named by GATEHOUSE_CONF:\n\n",
		     p->name, p->summary);
	config_help(p->items, p->item_count, stdout);
	settings_help(&p->defaults, stdout);
}

static enum err open_metrics(const struct program *p, struct service *s,
			     struct errmsg *why)
{
	struct metrics_layout layout = { .program = p->name };
	const char *path = s->check_only ? "" : s->settings.metrics_file;
	enum err e;

	if (p->router.count >= METRICS_ROUTES)
		return err_set(why, ERR_CONFIG, "too many routes to count");
	layout.route_count = p->router.count;
	for (size_t i = 0; i < p->router.count; i++)
		layout.routes[i] = p->router.routes[i].pattern;
	if (p->authorize != NULL) /* its paths are not our routes */
		layout.routes[layout.route_count++] = "authorizer";
	if (s->check_only &&
	    db_known_check(s->settings.changes_dir, why) != ERR_OK)
		return ERR_CONFIG;
	if (s->check_only &&
	    metrics_check(s->settings.metrics_file, why) != ERR_OK)
		return ERR_CONFIG;
	e = metrics_open(&layout, path, &s->metrics, why);
	if (e != ERR_FULL && e != ERR_UNAVAILABLE)
		return e;
	/* If the disk is full or does not support locks, count in memory
	 * instead of refusing to start */
	log_event(LOG_WARN, "metrics", why->text);
	return metrics_open(&layout, "", &s->metrics, why);
}

/* The file openssl.cnf is needed for TLS alone, and to read it is a good part of
 * the start of a CGI process */
static void skip_openssl_conf(const struct db_config *db)
{
	if (db->tls == DB_TLS_OFF)
		(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}

/* Open everything that the first request needs */
static enum err open_service(const struct program *p, struct service *s,
			     struct errmsg *why)
{
	struct db_config db = settings_db(&s->settings);
	enum err e = open_metrics(p, s, why);

	if (e != ERR_OK)
		return e;
	skip_openssl_conf(&db);
	e = settings_keys(&s->settings, &s->keys, why);
	if (e != ERR_OK)
		goto metrics;
	db.metrics = s->metrics;
	s->rules = settings_rules(&s->settings);
	e = db_open(&db, &s->db, why);
	if (e != ERR_OK)
		goto keys;
	if (p->open == NULL)
		return ERR_OK;
	e = p->open(p->app, s, why);
	if (e == ERR_OK)
		return ERR_OK;
	db_close(s->db);
keys:
	keyring_file_close(s->keys);
metrics:
	metrics_close(s->metrics);
	return e;
}

static void close_service(const struct program *p, struct service *s)
{
	if (p->close != NULL)
		p->close(p->app);
	db_close(s->db);
	keyring_file_close(s->keys);
	metrics_close(s->metrics);
	settings_release(&s->settings);
	config_release(p->items, p->item_count, p->app);
}

static int fail(const struct program *p, enum err e, const struct errmsg *why)
{
	(void)fprintf(stderr, "%s: %s\n", p->name, why->text);
	switch (e) {
	case ERR_CONFIG:
		return EX_CONFIG;
	case ERR_MEMORY:
		return EX_OSERR;
	default:
		return EX_UNAVAILABLE;
	}
}

/* A process of one request only announces changes */
static enum err open_known(const struct program *p, struct service *s,
			   enum db_known_role role, struct errmsg *why)
{
	struct db_known_config c = { .of = p->changes,
				     .role = role,
				     .dir = s->settings.changes_dir };
	enum err e;

	if (role == DB_KNOWN_SERVICE)
		c.row_size = p->row_size;
	e = db_known_open(s->db, &c, why);
	if (e != ERR_OK || role != DB_KNOWN_SERVICE ||
	    p->changes == DB_KNOWN_SESSIONS)
		return e;
	/* Every program reads sessions */
	c.of = DB_KNOWN_SESSIONS;
	c.role = DB_KNOWN_READER;
	c.row_size = sizeof(struct session_row);
	return db_known_open(s->db, &c, why);
}

/* Serve until a signal. A wrong certificate is reported now, and not by every
 * request; a database that is down is waited for. */
static int serve_fcgi(const struct program *p, struct service *s)
{
	struct errmsg why;

	if (db_check_tls(s->db, &why) != ERR_OK)
		return fail(p, ERR_UNAVAILABLE, &why);
	keyring_file_remember(s->keys);
	if (open_known(p, s, DB_KNOWN_SERVICE, &why) != ERR_OK)
		return fail(p, ERR_CONFIG, &why);
	return workers_serve(p, s);
}

static int serve(const struct program *p, struct service *s, bool check)
{
	struct errmsg why = { "" };

	if (check) {
		config_print(p->items, p->item_count, p->app, stdout);
		settings_print(&s->settings, stdout);
	} else if (transport_fcgi_ready()) {
		return serve_fcgi(p, s);
	} else if (transport_cgi_ready()) {
		if (open_known(p, s, DB_KNOWN_TOOL, &why) != ERR_OK)
			return fail(p, ERR_CONFIG, &why);
		serve_cgi(p, s);
	} else {
		(void)fprintf(stderr,
			      "%s: cannot be run by hand; start it by "
			      "lighttpd, by spawn-fcgi, or as a CGI program; "
			      "see --help\n",
			      p->name);
		return EX_USAGE;
	}
	return 0;
}

/* glibc makes an arena for each thread, and after the first large block that was
 * freed it keeps such blocks: what a list of 1000 files needed for a moment would
 * stay in each arena. If a limit cannot be set, only memory is lost. */
static void bound_memory(void)
{
	(void)mallopt(M_ARENA_MAX, MEMORY_ARENAS);
	(void)mallopt(M_MMAP_THRESHOLD, MEMORY_LARGE);
	(void)mallopt(M_TRIM_THRESHOLD, MEMORY_KEPT);
}

int program_main(const struct program *p, int argc, char **argv)
{
	struct span option = span_of(argc > 1 ? argv[1] : NULL);
	bool check = span_eq(option, SPAN("--check"));
	enum log_level level = LOG_INFO;
	struct service s = { .check_only = check };
	struct errmsg why = { "" };
	enum err e;
	int status;

	bound_memory();
	if (span_eq(option, SPAN("--help")))
		return print_help(p), 0;
	if (span_eq(option, SPAN("--version")))
		return printf("%s %s\n", p->name, GATEHOUSE_VERSION), 0;
	if (argc > 1 && !check) {
		(void)fprintf(stderr, "%s: unknown argument %s; see --help\n",
			      p->name, argv[1]);
		return EX_USAGE;
	}
	if (sodium_init() < 0)
		return EX_OSERR;
	e = config_load(p->items, p->item_count, p->app, &why);
	if (e != ERR_OK)
		return fail(p, e, &why);
	e = settings_load(&p->defaults, &s.settings, &why);
	if (e != ERR_OK) {
		config_release(p->items, p->item_count, p->app);
		return fail(p, e, &why);
	}
	(void)log_level_of(span_of(s.settings.log_level), &level);
	log_setup(p->name, level);
	e = open_service(p, &s, &why);
	if (e != ERR_OK) {
		settings_release(&s.settings);
		config_release(p->items, p->item_count, p->app);
		return fail(p, e, &why);
	}
	status = serve(p, &s, check);
	close_service(p, &s);
	return status;
}
