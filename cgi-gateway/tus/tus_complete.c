#include "cgi-gateway/tus/tus_complete.h"

#include "cgi-gateway/app/content_check.h"
#include "cgi-gateway/store/resumable_commit.h"

#include <string.h>

enum err tus_remove(const struct app *app, const struct tus_upload *u,
		    struct errmsg *why)
{
	enum err e = tus_uploads_remove(app->db, u, why);

	/* Without its row the upload is gone, even if it was about to become a
	 * file. Bytes that cannot be removed are left to gc. */
	if (e == ERR_OK) {
		(void)!resumable_remove(app->store, u->id, NULL);
		(void)!store_remove(app->store, u->id, NULL);
	}
	return e;
}

/* --- the file ------------------------------------------------------------- */

/* Make the file; `now` is the time after the body, which may have taken hours
 */
static struct file file_of(const struct tus_upload *u,
			   const unsigned char sha256[static SHA256_LEN],
			   int64_t now)
{
	struct file f = { .owner = u->owner,
			  .size = u->length,
			  .created_at = now,
			  .expires_at = FILES_NEVER };

	memcpy(f.id, u->id, sizeof(f.id));
	memcpy(f.name, u->name, sizeof(f.name));
	memcpy(f.claimed_type, u->type, sizeof(f.claimed_type));
	memcpy(f.sha256, sha256, SHA256_LEN);
	if (u->life != FILES_NEVER)
		f.expires_at = now + u->life;
	return f;
}

static enum err read_committed(void *commit, int64_t from, char *to, size_t cap,
			       size_t *got, struct errmsg *why)
{
	return resumable_commit_read(commit, from, to, cap, got, why);
}

static enum err check_bytes(const struct app *app, const struct request *rq,
			    struct response *rs, const struct tus_upload *u,
			    struct resumable_commit *commit, struct file *f)
{
	const struct content_source src = { read_committed, commit, f->size };

	if (u->has_sha256 && memcmp(u->sha256, f->sha256, SHA256_LEN) != 0)
		return ERR_DIGEST;
	return content_check(app, rq, rs, &src, f);
}

/* --- in order ------------------------------------------------------------- */

struct commit {
	struct resumable_commit *bytes;
	struct file file;
};

static enum err begin_and_check(const struct app *app, const struct request *rq,
				struct response *rs, const struct tus_upload *u,
				struct commit *c)
{
	unsigned char sha256[SHA256_LEN];
	enum err e = resumable_commit_begin(app->store, u->id, u->length,
					    &c->bytes, sha256, &rs->why);

	if (e != ERR_OK)
		return e;
	c->file = file_of(u, sha256, request_time(rq));
	e = check_bytes(app, rq, rs, u, c->bytes, &c->file);
	if (e != ERR_OK)
		resumable_commit_leave(c->bytes);
	return e;
}

/* End the commit; `e` is the result of writing the rows. If it failed, the
 * bytes remain those of an upload, for the next attempt. */
static enum err end_commit(const struct app *app, struct commit *c, enum err e)
{
	if (e != ERR_OK) {
		resumable_commit_leave(c->bytes);
		return e;
	}
	resumable_commit_end(c->bytes);
	metrics_add(app->metrics, METRICS_UPLOADED_FILES, 1);
	metrics_add(app->metrics, METRICS_UPLOADED_BYTES, c->file.size);
	return ERR_OK;
}

static enum err become_file(const struct app *app, const struct request *rq,
			    struct response *rs,
			    const struct session_check *session,
			    struct tus_upload *u)
{
	struct commit c = { .bytes = NULL };
	enum err e = begin_and_check(app, rq, rs, u, &c);

	if (e != ERR_OK)
		return e;
	/* A client that missed the last response can repeat its request as long
	 * as before */
	u->expires_at = c.file.created_at + app->upload_life;
	e = resumable_commit_place(c.bytes, &rs->why);
	if (e == ERR_OK)
		e = tus_uploads_finish(app->db, session, u, &c.file,
				       &app->webhook_targets, &rs->why);
	return end_commit(app, &c, e);
}

/* Find out whether another request completed or removed the upload while this
 * one waited. The row shows which. */
static enum err completed_by_another(const struct app *app,
				     struct session_check *session,
				     const struct tus_upload *u,
				     struct errmsg *why)
{
	struct tus_upload now;
	enum err e = tus_uploads_find(app->db, session, u->owner,
				      span_of(u->id), &now, why);

	if (e == ERR_OK && now.finished_at == TUS_UNFINISHED)
		return ERR_NOT_FOUND;
	return e;
}

enum err tus_complete(const struct app *app, const struct request *rq,
		      struct response *rs, struct session_check *session,
		      struct tus_upload *u)
{
	enum err e = become_file(app, rq, rs, session, u);

	if (e == ERR_DIGEST || e == ERR_INFECTED || e == ERR_TOO_LARGE)
		(void)!tus_remove(app, u, NULL);
	if (e == ERR_NOT_FOUND)
		e = completed_by_another(app, session, u, &rs->why);
	return e;
}

enum err tus_complete_joined(const struct app *app, const struct request *rq,
			     struct response *rs,
			     const struct session_check *session,
			     struct tus_upload *u,
			     const struct tus_upload *part, size_t part_count)
{
	struct commit c = { .bytes = NULL };
	enum err e = begin_and_check(app, rq, rs, u, &c);

	/* There is no row with which a request could retry */
	if (e != ERR_OK) {
		(void)!resumable_remove(app->store, u->id, NULL);
		return e;
	}
	u->finished_at = c.file.created_at;
	u->expires_at = c.file.created_at + app->upload_life;
	e = resumable_commit_place(c.bytes, &rs->why);
	if (e == ERR_OK)
		e = tus_uploads_join(app->db, session, &app->quota, u, &c.file,
				     part, part_count, &app->webhook_targets,
				     &rs->why);
	return end_commit(app, &c, e);
}
