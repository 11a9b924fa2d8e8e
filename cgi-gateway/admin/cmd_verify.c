/* gateway-admin verify: read every file again and say what has rotted. */
#include "cgi-gateway/admin/commands.h"

#include "cgi-gateway/admin/rate_limit.h"
#include "common/codec/json.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

enum {
	VERIFY_READ = 256 * 1024, /* bytes of a read */
	VERIFY_RATE = 50000000,	  /* bytes a second, unless told */
};

/* What can be wrong with a file */
enum fault { MISSING, SIZE, BYTES, UNREADABLE, FAULTS };

static const char *const words[FAULTS] = { "missing", "other_size",
					   "other_bytes", "unreadable" };

struct verify {
	struct admin *admin;
	struct rate_limit pace;
	bool json;
	int64_t files, bytes, faults[FAULTS], bad;
	char last[UUID_LEN + 1]; /* id of the last file that was looked at */
	struct file row;
	struct file *page; /* rows read and not yet checked */
	size_t count;
	char *space;
};

/* Set by a signal: end soon, and say where */
static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static void stop_when_told(void)
{
	struct sigaction a = { .sa_handler = stop, .sa_flags = SA_RESTART };

	(void)sigemptyset(&a.sa_mask);
	(void)sigaction(SIGTERM, &a, NULL);
	(void)sigaction(SIGINT, &a, NULL);
}

static enum err note_row(void *arg)
{
	struct verify *v = arg;

	v->page[v->count++] = v->row;
	return ERR_OK;
}

static void hold_rate(struct verify *v, size_t bytes)
{
	struct timespec t;
	int64_t us;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	us = rate_limit_wait(&v->pace,
			     (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000,
			     (int64_t)bytes);
	t = (struct timespec) { us / 1000000, us % 1000000 * 1000 };
	/* A signal ends it early, and `stopped` tells */
	if (us > 0)
		(void)nanosleep(&t, NULL);
}

/* ERR_OK with a digest of half the file when it was stopped */
static enum err hash_object(struct verify *v, const struct file *f,
			    int64_t *size, unsigned char sum[static SHA256_LEN],
			    struct errmsg *why)
{
	struct store_reader *r = NULL;
	struct sha256 hash;
	size_t got = 1;
	enum err e =
		store_reader_open(v->admin->app.store, f->id, 0, &r, size, why);

	sha256_init(&hash);
	if (e == ERR_OK)
		store_reader_no_cache(r);
	while (e == ERR_OK && got > 0 && !stopped) {
		e = store_reader_read(r, v->space, VERIFY_READ, &got, why);
		if (e == ERR_OK) {
			sha256_add(&hash, (struct span) { v->space, got });
			v->bytes += (int64_t)got;
			hold_rate(v, got);
		}
	}
	store_reader_close(r);
	sha256_end(&hash, sum);
	return e;
}

static void complain(struct verify *v, const struct file *f, enum fault fault,
		     const char *text)
{
	struct json_object *o;

	v->faults[fault]++;
	v->bad++;
	if (!v->json) {
		(void)printf("%s %s (owner %llu, \"%s\")\n", f->id, text,
			     (unsigned long long)f->owner, f->name);
		return;
	}
	o = json_object_new_object();
	json_set_str(o, "id", f->id);
	json_set_int(o, "owner", (int64_t)f->owner);
	json_set_str(o, "name", f->name);
	json_set_str(o, "fault", words[fault]);
	json_set_str(o, "problem", text);
	(void)puts(json_write(o).p);
	json_object_put(o);
}

/* Bytes that are not there: deleted since the row was read, or lost? */
static enum err check_missing(struct verify *v, const struct file *f,
			      struct errmsg *why)
{
	enum err e = files_exists(v->admin->app.db, span_of(f->id), why);

	if (e == ERR_OK)
		complain(v, f, MISSING, "is missing");
	else if (e == ERR_NOT_FOUND)
		v->files--;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err check(struct verify *v, const struct file *f,
		      struct errmsg *why)
{
	unsigned char sum[SHA256_LEN];
	char text[320];
	int64_t size = 0;
	enum err e = hash_object(v, f, &size, sum, why);

	if (stopped || e == ERR_UNAVAILABLE || e == ERR_MEMORY)
		return e;
	v->files++;
	if (e == ERR_NOT_FOUND) {
		e = check_missing(v, f, why);
	} else if (e != ERR_OK) {
		(void)snprintf(text, sizeof(text), "cannot be read: %s",
			       why->text);
		complain(v, f, UNREADABLE, text);
		e = ERR_OK;
	} else if (size != f->size) {
		(void)snprintf(text, sizeof(text),
			       "has %lld bytes in place of %lld",
			       (long long)size, (long long)f->size);
		complain(v, f, SIZE, text);
	} else if (memcmp(sum, f->sha256, SHA256_LEN) != 0) {
		complain(v, f, BYTES, "has other bytes");
	}
	return e;
}

/* Page by page, so rows that come and go meanwhile do no harm */
static enum err walk(struct verify *v, struct errmsg *why)
{
	enum err e = ERR_OK;

	do {
		v->count = 0;
		e = files_walk(v->admin->app.db, span_of(v->last), &v->row,
			       note_row, v, why);
		for (size_t i = 0; i < v->count && e == ERR_OK && !stopped;
		     i++) {
			e = check(v, &v->page[i], why);
			if (e == ERR_OK && !stopped)
				memcpy(v->last, v->page[i].id, sizeof(v->last));
		}
	} while (e == ERR_OK && !stopped && v->count == FILES_LIST_MAX);
	return e;
}

static void report_json(const struct verify *v, bool whole)
{
	struct json_object *o = json_object_new_object();

	json_set_int(o, "files", v->files);
	json_set_int(o, "bytes", v->bytes);
	json_set_int(o, "bad", v->bad);
	for (int i = 0; i < FAULTS; i++)
		json_set_int(o, words[i], v->faults[i]);
	json_set_bool(o, "whole", whole);
	json_set_str(o, "last", v->last);
	(void)puts(json_write(o).p);
	json_object_put(o);
}

static void report(const struct verify *v, bool whole)
{
	if (v->json) {
		report_json(v, whole);
		return;
	}
	(void)printf("%lld files, %lld bytes read, %lld not as they should "
		     "be\n",
		     (long long)v->files, (long long)v->bytes,
		     (long long)v->bad);
	if (!whole)
		(void)printf("not at the end; go on with --after %s\n",
			     v->last[0] != '\0' ? v->last : "\"\"");
}

static int verify(struct verify *v)
{
	struct errmsg why = { "" };
	enum err e = ERR_MEMORY;

	stop_when_told();
	v->page = calloc(FILES_LIST_MAX, sizeof(*v->page));
	v->space = malloc(VERIFY_READ);
	if (v->page != NULL && v->space != NULL)
		e = walk(v, &why);
	free(v->page);
	free(v->space);
	report(v, e == ERR_OK && !stopped);
	if (e != ERR_OK)
		return admin_fail("verify", e, &why);
	if (v->bad > 0)
		return ADMIN_FOUND;
	return stopped ? EX_TEMPFAIL : 0;
}

int cmd_verify(struct admin *a, int argc, char **argv)
{
	struct verify v = { .admin = a };
	const char *after = "";
	int64_t rate = VERIFY_RATE;
	const struct option_place options[] = {
		{ .name = "rate", .number = &rate },
		{ .name = "after", .value = &after },
		{ .name = "json", .flag = &v.json },
	};

	if (admin_options(argc, argv, options, 3) != 0)
		return EX_USAGE;
	if (after[0] != '\0' && !ident_is_uuid(span_of(after))) {
		(void)fprintf(stderr, "gateway-admin verify: --after takes the "
				      "id of a file\n");
		return EX_USAGE;
	}
	rate_limit_init(&v.pace, rate);
	(void)snprintf(v.last, sizeof(v.last), "%s", after);
	return verify(&v);
}
