/* verify: read every file again, and report each that is damaged or missing */
#include "cgi-gateway/admin/commands.h"
#include "cgi-gateway/admin/gateway_admin.h"
#include "cgi-gateway/admin/rate_limit.h"
#include "common/admin/exit_status.h"
#include "common/admin/failure.h"
#include "common/admin/options.h"
#include "common/admin/output.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	VERIFY_READ = 256 * 1024,	/* bytes of a read */
	VERIFY_RATE_DEFAULT = 50000000, /* bytes a second */
};

enum fault { MISSING, SIZE, BYTES, UNREADABLE, FAULTS };

/* The members of --json */
static const char *const fault_names[FAULTS] = { "missing", "other_size",
						 "other_bytes", "unreadable" };

struct verify {
	struct gateway_admin admin;
	struct rate_limit limit;
	bool json;
	int64_t files, bytes, faults[FAULTS], bad;
	char last[UUID_LEN + 1]; /* id of the last file that was checked */
	struct file row, *page;	 /* rows that are read and not yet checked */
	size_t count;
	char *buffer;
};

static volatile sig_atomic_t signalled;

static void remember_signal(int sig)
{
	(void)sig;
	signalled = 1;
}

static void catch_signals(void)
{
	struct sigaction a = { .sa_handler = remember_signal,
			       .sa_flags = SA_RESTART };

	(void)sigemptyset(&a.sa_mask);
	(void)sigaction(SIGTERM, &a, NULL);
	(void)sigaction(SIGINT, &a, NULL);
}

/* Whether to stop early: at a signal, or if the output cannot be written. */
static bool is_stopped(void)
{
	return signalled || output_failed();
}

static enum err add_to_page(void *arg)
{
	struct verify *v = arg;

	v->page[v->count++] = v->row;
	return ERR_OK;
}

static void wait_for_rate(struct verify *v, size_t bytes)
{
	struct timespec t;
	int64_t us;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	us = rate_limit_wait(&v->limit,
			     (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000,
			     (int64_t)bytes);
	t = (struct timespec) { us / 1000000, us % 1000000 * 1000 };
	/* A signal ends the wait early. */
	if (us > 0)
		(void)nanosleep(&t, NULL);
}

/* Hash an object. If stopped, returns ERR_OK with the digest of a part */
static enum err hash_object(struct verify *v, const struct file *f,
			    int64_t *size, unsigned char sum[static SHA256_LEN],
			    struct errmsg *why)
{
	struct store_reader *r = NULL;
	struct sha256 hash;
	size_t got = 1;
	enum err e =
		store_reader_open(v->admin.app.store, f->id, 0, &r, size, why);

	sha256_init(&hash);
	if (e == ERR_OK)
		store_reader_no_cache(r);
	while (e == ERR_OK && got > 0 && !is_stopped()) {
		e = store_reader_read(r, v->buffer, VERIFY_READ, &got, why);
		if (e == ERR_OK) {
			sha256_add(&hash, (struct span) { v->buffer, got });
			v->bytes += (int64_t)got;
			wait_for_rate(v, got);
		}
	}
	store_reader_close(r);
	sha256_end(&hash, sum);
	return e;
}

static void report_fault(struct verify *v, const struct file *f,
			 enum fault fault, const char *problem)
{
	struct json_object *o;

	v->faults[fault]++;
	v->bad++;
	if (!v->json) {
		(void)printf("%s %s (owner %llu, \"%s\")\n", f->id, problem,
			     (unsigned long long)f->owner, f->name);
		return;
	}
	o = output_object();
	json_set_str(o, "id", f->id);
	json_set_int(o, "owner", (int64_t)f->owner);
	json_set_str(o, "name", f->name);
	json_set_str(o, "fault", fault_names[fault]);
	json_set_str(o, "problem", problem);
	output_json(o);
}

/* Check a missing object: it is a fault unless its row is gone too by now. */
static enum err check_missing(struct verify *v, const struct file *f,
			      struct errmsg *why)
{
	enum err e = files_exists(v->admin.app.db, span_of(f->id), why);

	if (e == ERR_OK)
		report_fault(v, f, MISSING, "is missing");
	else if (e == ERR_NOT_FOUND)
		v->files--;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err check_file(struct verify *v, const struct file *f,
			   struct errmsg *why)
{
	unsigned char sum[SHA256_LEN];
	char text[320];
	int64_t size = 0;
	enum err e = hash_object(v, f, &size, sum, why);

	if (is_stopped() || e == ERR_UNAVAILABLE || e == ERR_OVERLOADED ||
	    e == ERR_MEMORY)
		return e;
	v->files++;
	if (e == ERR_NOT_FOUND) {
		e = check_missing(v, f, why);
	} else if (e != ERR_OK) {
		(void)snprintf(text, sizeof(text), "cannot be read: %s",
			       why->text);
		report_fault(v, f, UNREADABLE, text);
		e = ERR_OK;
	} else if (size != f->size) {
		(void)snprintf(text, sizeof(text),
			       "has %lld bytes instead of %lld",
			       (long long)size, (long long)f->size);
		report_fault(v, f, SIZE, text);
	} else if (memcmp(sum, f->sha256, SHA256_LEN) != 0) {
		report_fault(v, f, BYTES, "checksum mismatch");
	}
	return e;
}

/* Check all files page by page, while rows may be added and deleted. */
static enum err check_all(struct verify *v, struct errmsg *why)
{
	enum err e = ERR_OK;

	do {
		v->count = 0;
		e = files_walk(v->admin.app.db, span_of(v->last), &v->row,
			       add_to_page, v, why);
		for (size_t i = 0; i < v->count && e == ERR_OK && !is_stopped();
		     i++) {
			e = check_file(v, &v->page[i], why);
			if (e == ERR_OK && !is_stopped())
				memcpy(v->last, v->page[i].id, sizeof(v->last));
		}
	} while (e == ERR_OK && !is_stopped() && v->count == FILES_LIST_MAX);
	return e;
}

static void report_json(const struct verify *v, bool whole)
{
	struct json_object *o = output_object();

	json_set_int(o, "files", v->files);
	json_set_int(o, "bytes", v->bytes);
	json_set_int(o, "bad", v->bad);
	for (int i = 0; i < FAULTS; i++)
		json_set_int(o, fault_names[i], v->faults[i]);
	json_set_bool(o, "whole", whole);
	json_set_str(o, "last", v->last);
	output_json(o);
}

static void report_result(const struct verify *v, bool whole)
{
	if (v->json) {
		report_json(v, whole);
		return;
	}
	(void)printf("%lld files, %lld bytes read, %lld damaged or missing\n",
		     (long long)v->files, (long long)v->bytes,
		     (long long)v->bad);
	if (!whole)
		(void)printf("stopped before the end; continue with --after "
			     "%s\n",
			     v->last[0] != '\0' ? v->last : "\"\"");
}

static int verify(struct verify *v)
{
	struct errmsg why = { "" };
	enum err e = ERR_MEMORY;

	catch_signals();
	v->page = calloc(FILES_LIST_MAX, sizeof(*v->page));
	v->buffer = malloc(VERIFY_READ);
	if (v->page != NULL && v->buffer != NULL)
		e = check_all(v, &why);
	free(v->page);
	free(v->buffer);
	report_result(v, e == ERR_OK && !is_stopped());
	if (e != ERR_OK)
		return gateway_admin_fail(e, &why);
	if (v->bad > 0)
		return EXIT_NEGATIVE;
	return signalled ? EX_TEMPFAIL : 0;
}

int cmd_verify(int argc, char **argv)
{
	struct verify v = { .json = false };
	const char *after = "";
	int64_t rate = VERIFY_RATE_DEFAULT;
	const struct option_place options[] = {
		{ .name = "rate", .number = &rate },
		{ .name = "after", .value = &after },
		{ .name = "json", .flag = &v.json },
		{ .name = NULL },
	};
	int status = options_read(argc, argv, options, NULL, NULL);

	if (status == 0 && after[0] != '\0' &&
	    ident_uuid_sent(span_of(after), v.last).len == 0)
		status = admin_fail_usage("--after must be the id of a file");
	if (status == 0)
		status = gateway_admin_open(&v.admin, NEEDS_DATABASE_AND_STORE);
	if (status != 0)
		return status;
	rate_limit_init(&v.limit, rate);
	status = verify(&v);
	gateway_admin_close(&v.admin);
	return status;
}
