/* gateway-admin verify: read every file again and say what has rotted. */
#include "admin.h"

#include "json.h"

#include <string.h>
#include <sysexits.h>
#include <time.h>

enum {
	VERIFY_READ = 256 * 1024, /* bytes of a read */
	VERIFY_RATE = 50000000,	  /* bytes a second, unless told */
};

struct verify {
	struct admin *admin;
	int64_t rate; /* bytes a second; 0: as fast as it goes */
	bool json;
	int64_t files, bytes, bad;
	int64_t debt_us; /* time that was read too fast */
	struct file row;
	struct file *page; /* rows read and not yet checked */
	size_t count;
	char *space;
	struct errmsg m;
};

static enum err note_row(void *arg)
{
	struct verify *v = arg;

	v->page[v->count++] = v->row;
	return ERR_OK;
}

/* Sleep off what was read beyond the rate */
static void hold_rate(struct verify *v, size_t bytes)
{
	struct timespec t;

	if (v->rate == 0)
		return;
	v->debt_us += (int64_t)bytes * 1000000 / v->rate;
	if (v->debt_us < 20000)
		return;
	t = (struct timespec) { v->debt_us / 1000000,
				v->debt_us % 1000000 * 1000 };
	(void)nanosleep(&t, NULL);
	v->debt_us = 0;
}

static enum err hash_object(struct verify *v, const struct file *f,
			    int64_t *size, unsigned char sum[static SHA256_LEN])
{
	struct store_reader *r = NULL;
	struct sha256 hash;
	size_t got = 1;
	enum err e = store_open(v->admin->app.store, f->id, 0, &r, size, &v->m);

	sha256_init(&hash);
	while (e == ERR_OK && got > 0) {
		e = store_read(r, v->space, VERIFY_READ, &got, &v->m);
		if (e == ERR_OK) {
			sha256_add(&hash, (struct span) { v->space, got });
			v->bytes += (int64_t)got;
			hold_rate(v, got);
		}
	}
	store_done(r);
	sha256_end(&hash, sum);
	return e;
}

static void complain(struct verify *v, const struct file *f, const char *what)
{
	struct json_object *o;

	v->bad++;
	if (!v->json) {
		(void)printf("%s %s (owner %llu, \"%s\")\n", f->id, what,
			     (unsigned long long)f->owner, f->name);
		return;
	}
	o = json_object_new_object();
	json_set_str(o, "id", f->id);
	json_set_int(o, "owner", (int64_t)f->owner);
	json_set_str(o, "name", f->name);
	json_set_str(o, "problem", what);
	(void)puts(json_write(o).p);
	json_object_put(o);
}

static enum err check(struct verify *v, const struct file *f)
{
	unsigned char sum[SHA256_LEN];
	int64_t size = 0;
	enum err e = hash_object(v, f, &size, sum);

	v->files++;
	if (e == ERR_OK && size != f->size) {
		complain(v, f, "has another size");
	} else if (e == ERR_OK && memcmp(sum, f->sha256, SHA256_LEN) != 0) {
		complain(v, f, "has other bytes");
	} else if (e == ERR_NOT_FOUND) {
		/* deleted since its row was read, or lost? */
		e = files_exists(v->admin->app.db, span_of(f->id), &v->m);
		if (e == ERR_OK)
			complain(v, f, "is missing");
		else if (e == ERR_NOT_FOUND)
			v->files--;
	} else if (e == ERR_IO) {
		complain(v, f, "cannot be read");
	}
	return e == ERR_UNAVAILABLE ? e : ERR_OK;
}

static enum err walk(struct verify *v)
{
	char after[UUID_LEN + 1] = "";
	enum err e = ERR_OK;

	do {
		v->count = 0;
		e = files_walk(v->admin->app.db, span_of(after), &v->row,
			       note_row, v, &v->m);
		for (size_t i = 0; i < v->count && e == ERR_OK; i++)
			e = check(v, &v->page[i]);
		if (v->count > 0)
			memcpy(after, v->page[v->count - 1].id, sizeof(after));
	} while (e == ERR_OK && v->count == FILES_LIST_MAX);
	return e;
}

static void report(const struct verify *v)
{
	struct json_object *o;

	if (!v->json) {
		(void)printf("%lld files, %lld bytes read, %lld not as they "
			     "should be\n",
			     (long long)v->files, (long long)v->bytes,
			     (long long)v->bad);
		return;
	}
	o = json_object_new_object();
	json_set_int(o, "files", v->files);
	json_set_int(o, "bytes", v->bytes);
	json_set_int(o, "bad", v->bad);
	(void)puts(json_write(o).p);
	json_object_put(o);
}

int cmd_verify(struct admin *a, int argc, char **argv)
{
	struct verify v = { .admin = a, .rate = VERIFY_RATE };
	const struct option_place options[] = {
		{ .name = "rate", .number = &v.rate },
		{ .name = "json", .flag = &v.json },
	};
	enum err e = ERR_MEMORY;

	if (admin_options(argc, argv, options, 2) != 0)
		return EX_USAGE;
	v.page = calloc(FILES_LIST_MAX, sizeof(*v.page));
	v.space = malloc(VERIFY_READ);
	if (v.page != NULL && v.space != NULL)
		e = walk(&v);
	free(v.page);
	free(v.space);
	if (e != ERR_OK)
		return admin_fail("verify", e, &v.m);
	report(&v);
	return v.bad == 0 ? 0 : ADMIN_FOUND;
}
