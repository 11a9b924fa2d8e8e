#include "cgi-gateway/upload/upload_admission.h"

#include "cgi-gateway/tables/admissions.h"

#include <sys/statvfs.h>

enum {
	RETRY_AFTER = 10, /* seconds; other uploads may end meanwhile */
};

/* What is free on the disk of DATA_DIR; INT64_MAX if that is unknown */
static int64_t free_bytes(const struct app *app)
{
	struct statvfs disk;

	if (app->data_dir == NULL || statvfs(app->data_dir, &disk) != 0 ||
	    disk.f_bavail > INT64_MAX / disk.f_frsize)
		return INT64_MAX;
	return (int64_t)(disk.f_bavail * disk.f_frsize);
}

static struct admission_limits limits_of(const struct app *app, int64_t room)
{
	struct admission_limits l = { app->spool_max, app->spool_user_max };

	if (l.all == 0)
		l.all = room;
	if (l.owner == 0)
		l.owner = l.all / 2;
	return l;
}

static enum err explain(struct upload *u, enum err e)
{
	struct response *rs = u->rs;

	rs->retry_after = RETRY_AFTER;
	if (e == ERR_TOO_MANY_UPLOADS)
		return response_explain(
			rs, e,
			"Uploads of this user that are in progress, or were "
			"cut off before, have as many bytes as are allowed at "
			"a time (SPOOL_USER_MAX, or %d uploads). Nothing was "
			"stored. Try again later; /tus/ has no such limit.",
			ADMISSION_BODIES_MAX);
	return response_explain(
		rs, ERR_UNAVAILABLE,
		"All uploads that are in progress have as many bytes as are "
		"allowed at a time (SPOOL_MAX). Nothing was stored. Try again "
		"in %d seconds.",
		RETRY_AFTER);
}

static enum err reserve(struct upload *u, int64_t bytes)
{
	struct request *rq = u->rq;
	const int64_t room = free_bytes(u->app);
	const struct admission_limits limits = limits_of(u->app, room);
	enum err e;

	if (bytes == REQUEST_LENGTH_UNKNOWN)
		bytes = UPLOAD_UNANNOUNCED_MAX;
	if (bytes < UPLOAD_ASK_FIRST)
		return ERR_OK;
	if (bytes > room)
		return ERR_FULL;
	e = admissions_add(u->app->db, u->origin->owner(u), bytes, rq->now,
			   &limits, rq->admission, &u->rs->why);
	return e == ERR_TOO_MANY_UPLOADS || e == ERR_FULL ? explain(u, e) : e;
}

enum err upload_admit(struct upload *u, int64_t file_bytes, int64_t body_bytes)
{
	bool admitted = u->rq->admitted_at != 0;
	enum err e = ERR_OK;

	/* The session, too, is checked with the room */
	if (!admitted || file_bytes >= UPLOAD_ASK_FIRST)
		e = u->origin->check_room(u, (struct amount) { file_bytes, 1 });
	if (e == ERR_OK && !admitted)
		e = reserve(u, body_bytes);
	u->fits = e == ERR_OK;
	return e;
}
