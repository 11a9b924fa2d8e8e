#include "serve.h"

#include "exchange.h"
#include "log.h"
#include "transport_cgi.h"
#include "transport_fcgi.h"

#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum {
	WORKER_STACK = 256 * 1024, /* bytes; libmagic uses 40 KiB of it */
	WAKE_MS = 10,  /* between two tries to wake threads out of accept */
	RETRY_MS = 50, /* after an accept that failed for our own reasons */
};

/* What the worker threads of one process share */
struct crew {
	const struct program *program;
	const struct service *service;
	pthread_t *threads; /* owned */
	size_t count;
	atomic_bool stopping; /* once accept says that there is nobody */
	atomic_bool leaving;  /* now, whoever waits */
	atomic_bool deserted; /* another process has shut our socket */
	atomic_size_t running;
};

static void pause_ms(int64_t ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&t, NULL);
}

/* Whoever else has our socket has shut it, and nobody can come any more: the
 * main thread is told to end */
static void desert(struct crew *crew)
{
	atomic_store(&crew->stopping, true);
	if (!atomic_exchange(&crew->deserted, true))
		(void)kill(getpid(), SIGTERM);
}

static void *work(void *arg)
{
	struct crew *crew = arg;
	struct transport *t = transport_fcgi_new();
	struct arena arena;

	arena_init(&arena);
	while (t != NULL && !atomic_load(&crew->leaving)) {
		enum err e = t->ops->accept(t);

		if (e == ERR_OK)
			exchange_run(crew->program, crew->service, t, &arena);
		else if (e == ERR_IO)
			pause_ms(RETRY_MS);
		else if (atomic_load(&crew->stopping))
			break;
		else if (e == ERR_GONE)
			desert(crew);
	}
	if (t != NULL)
		t->ops->free(t);
	arena_release(&arena);
	db_thread_end();
	atomic_fetch_sub(&crew->running, 1);
	return NULL;
}

/* SIGTERM and SIGINT are waited for by the main thread alone */
static void set_signals(sigset_t *ends)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	(void)sigemptyset(ends);
	(void)sigaddset(ends, SIGTERM);
	(void)sigaddset(ends, SIGINT);
	(void)pthread_sigmask(SIG_BLOCK, ends, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
}

static bool start(struct crew *crew)
{
	size_t wanted = (size_t)crew->service->settings.threads;
	pthread_attr_t attr;

	crew->threads = calloc(wanted, sizeof(*crew->threads));
	if (crew->threads == NULL || pthread_attr_init(&attr) != 0)
		return false;
	(void)pthread_attr_setstacksize(&attr, WORKER_STACK);
	while (crew->count < wanted) {
		atomic_fetch_add(&crew->running, 1);
		if (pthread_create(&crew->threads[crew->count], &attr, work,
				   crew) != 0) {
			atomic_fetch_sub(&crew->running, 1);
			break;
		}
		crew->count++;
	}
	(void)pthread_attr_destroy(&attr);
	return crew->count > 0;
}

/* Nobody new is let in; who waits is served, and what is under way may take its
 * time. A wake-up that comes just before a thread enters accept is lost, so it
 * is sent again. */
static bool drain(struct crew *crew)
{
	int64_t left = crew->service->settings.drain_seconds * 1000;

	atomic_store(&crew->stopping, true);
	if (!transport_fcgi_refuse())
		atomic_store(&crew->leaving, true);
	while (atomic_load(&crew->running) > 0 && left >= 0) {
		for (size_t i = 0; i < crew->count; i++)
			(void)pthread_kill(crew->threads[i],
					   TRANSPORT_FCGI_WAKE);
		pause_ms(WAKE_MS);
		left -= WAKE_MS;
	}
	if (atomic_load(&crew->running) > 0)
		return false;
	for (size_t i = 0; i < crew->count; i++)
		(void)pthread_join(crew->threads[i], NULL);
	return true;
}

static int serve_fcgi(const struct program *p, const struct service *s)
{
	struct crew crew = { .program = p, .service = s };
	sigset_t ends;
	int sig, status = 0;

	set_signals(&ends);
	if (!start(&crew)) {
		log_event(LOG_ERROR, "start", "no thread could be started");
		exit(EX_OSERR);
	}
	log_event(LOG_INFO, "start", "ready");
	(void)sigwait(&ends, &sig);
	if (atomic_load(&crew.deserted)) {
		log_event(LOG_ERROR, "stop",
			  "another process has shut the listening socket");
		status = EX_OSERR;
	}
	log_event(LOG_INFO, "stop", "draining");
	if (!drain(&crew)) {
		/* Their memory is in use: leave it, and the process with it */
		log_event(LOG_WARN, "stop",
			  "requests still under way were cut off");
		_Exit(status);
	}
	free(crew.threads);
	log_event(LOG_INFO, "stop", "done");
	return status;
}

static void serve_cgi(const struct program *p, const struct service *s)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct transport *t = transport_cgi_new();
	struct arena arena;

	if (t == NULL)
		exit(EX_OSERR);
	(void)sigaction(SIGPIPE, &ignore, NULL);
	/* lighttpd sends it as soon as the whole answer has come, and the log
	 * line is written after that. One request ends by itself. */
	(void)sigaction(SIGTERM, &ignore, NULL);
	arena_init(&arena);
	if (t->ops->accept(t) == ERR_OK)
		exchange_run(p, s, t, &arena);
	t->ops->free(t);
	arena_release(&arena);
}

static void help(const struct program *p)
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
	if (p->authorize != NULL) /* its paths are any others' */
		layout.routes[layout.route_count++] = "authorizer";
	if (s->check_only &&
	    metrics_check(s->settings.metrics_file, why) != ERR_OK)
		return ERR_CONFIG;
	e = metrics_open(&layout, path, &s->metrics, why);
	if (e != ERR_FULL)
		return e;
	/* A full disk must not stop who only wanted to count on it */
	log_event(LOG_WARN, "metrics", why->text);
	return metrics_open(&layout, "", &s->metrics, why);
}

/* Everything that must be right before the first request */
static enum err open_service(const struct program *p, struct service *s,
			     struct errmsg *why)
{
	struct db_config db = settings_db(&s->settings);
	enum err e = open_metrics(p, s, why);

	if (e != ERR_OK)
		return e;
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
	return e == ERR_CONFIG ? EX_CONFIG : EX_UNAVAILABLE;
}

static int run(const struct program *p, struct service *s, bool check)
{
	if (check) {
		config_print(p->items, p->item_count, p->app, stdout);
		settings_print(&s->settings, stdout);
	} else if (transport_fcgi_ready()) {
		return serve_fcgi(p, s);
	} else if (transport_cgi_ready()) {
		serve_cgi(p, s);
	} else {
		(void)fprintf(stderr,
			      "%s: run me under lighttpd, with spawn-fcgi, or "
			      "as a CGI program; see --help\n",
			      p->name);
		return EX_USAGE;
	}
	return 0;
}

int serve_main(const struct program *p, int argc, char **argv)
{
	struct span option = span_of(argc > 1 ? argv[1] : NULL);
	bool check = span_eq(option, SPAN("--check"));
	enum log_level level = LOG_INFO;
	struct service s = { .check_only = check };
	struct errmsg why = { "" };
	enum err e;
	int status;

	if (span_eq(option, SPAN("--help")))
		return help(p), 0;
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
	status = run(p, &s, check);
	close_service(p, &s);
	return status;
}
