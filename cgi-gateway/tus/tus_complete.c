#include "cgi-gateway/tus/tus_complete.h"

#include "cgi-gateway/app/content_check.h"
#include "cgi-gateway/store/resumable_commit.h"

#include <string.h>

enum err tus_remove(struct tus *t)
{
	enum err e = tus_uploads_remove(t->app->db, &t->u, &t->rs->why);

	/* The row is gone, so the upload is, also one that was about to become
	 * a file; bytes that stay are left to gc */
	if (e == ERR_OK) {
		(void)!resumable_remove(t->app->store, t->u.id, NULL);
		(void)!store_remove(t->app->store, t->u.id, NULL);
	}
	return e;
}

static struct file file_of(const struct tus *t,
			   const unsigned char sha256[static SHA256_LEN])
{
	/* The request may have brought bytes for hours */
	struct file f = { .owner = t->u.owner,
			  .size = t->u.length,
			  .created_at = request_time(t->rq),
			  .expires_at = FILES_NEVER };

	memcpy(f.id, t->u.id, sizeof(f.id));
	memcpy(f.name, t->u.name, sizeof(f.name));
	memcpy(f.claimed_type, t->u.type, sizeof(f.claimed_type));
	memcpy(f.sha256, sha256, SHA256_LEN);
	if (t->u.life != FILES_NEVER)
		f.expires_at = f.created_at + t->u.life;
	return f;
}

static enum err write_rows(struct tus *t, const struct file *f,
			   const struct tus_upload *parts, size_t count)
{
	/* Whose last answer was lost may ask as long as if it went on */
	t->u.expires_at = f->created_at + t->app->upload_life;
	if (count == 0)
		return tus_uploads_finish(t->app->db, &t->who, &t->u, f,
					  &t->app->webhook_targets,
					  &t->rs->why);
	t->u.finished_at = f->created_at;
	return tus_uploads_join(t->app->db, &t->who, &t->app->quota, &t->u, f,
				parts, count, &t->app->webhook_targets,
				&t->rs->why);
}

/* The bytes first, then the rows. Without the rows the bytes stay what they
 * were, as long as nobody knows that there are none */
static enum err settle(struct tus *t, struct resumable_commit *finish,
		       const struct file *f, const struct tus_upload *parts,
		       size_t count)
{
	enum err e = resumable_commit_place(finish, &t->rs->why);

	if (e == ERR_OK)
		e = write_rows(t, f, parts, count);
	if (e != ERR_OK) {
		resumable_commit_leave(finish);
		return e;
	}
	resumable_commit_end(finish);
	metrics_add(t->app->metrics, METRICS_UPLOADED_FILES, 1);
	metrics_add(t->app->metrics, METRICS_UPLOADED_BYTES, f->size);
	return ERR_OK;
}

static enum err has_right_digest(const struct tus *t,
				 const unsigned char sha256[static SHA256_LEN])
{
	return t->u.has_sha256 && memcmp(t->u.sha256, sha256, SHA256_LEN) != 0
		       ? ERR_DIGEST
		       : ERR_OK;
}

static enum err read_bytes(void *finish, int64_t from, char *to, size_t cap,
			   size_t *got, struct errmsg *why)
{
	return resumable_commit_read(finish, from, to, cap, got, why);
}

static enum err inspect_bytes(struct tus *t, struct resumable_commit *finish,
			      struct file *f)
{
	const struct content_source src = { read_bytes, finish, f->size };

	return content_check(t->app, t->rq, t->rs, &src, f);
}

static enum err finish(struct tus *t, const struct tus_upload *parts,
		       size_t count)
{
	unsigned char sha256[SHA256_LEN];
	struct resumable_commit *f = NULL;
	struct file file;
	enum err e = resumable_commit_begin(t->app->store, t->u.id, t->u.length,
					    &f, sha256, &t->rs->why);

	if (e != ERR_OK)
		return e;
	file = file_of(t, sha256);
	e = has_right_digest(t, sha256);
	if (e == ERR_OK)
		e = inspect_bytes(t, f, &file);
	if (e == ERR_OK)
		return settle(t, f, &file, parts, count);
	resumable_commit_leave(f);
	/* What was put together has no row that anybody could try again with */
	if (count > 0)
		(void)!resumable_remove(t->app->store, t->u.id, NULL);
	return e;
}

/* Somebody finished or removed it while we waited: the row knows which */
static enum err done_by_another(struct tus *t)
{
	struct span id = span_of(t->u.id);
	struct tus_upload now;
	enum err e = tus_uploads_find(t->app->db, &t->who, t->u.owner, id, &now,
				      &t->rs->why);

	if (e == ERR_OK && now.finished_at == TUS_UNFINISHED)
		return ERR_NOT_FOUND;
	return e;
}

enum err tus_complete(struct tus *t, const struct tus_upload *parts,
		      size_t count)
{
	enum err e = finish(t, parts, count);

	/* It will never be a file */
	if ((e == ERR_DIGEST || e == ERR_INFECTED || e == ERR_TOO_LARGE) &&
	    count == 0)
		(void)!tus_remove(t);
	if (e == ERR_NOT_FOUND && count == 0)
		e = done_by_another(t);
	return e;
}
