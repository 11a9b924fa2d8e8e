#include "cgi-gateway/tus/tus_join.h"

#include "cgi-gateway/store/resumable.h"
#include "cgi-gateway/tus/tus_complete.h"
#include "cgi-gateway/tus/tus_problem.h"

/* --- the parts ------------------------------------------------------------ */

static enum err find_part(const struct app *app, struct response *rs,
			  struct tus_caller *caller, struct span id,
			  struct tus_upload *part)
{
	int64_t offset = 0, written_at;
	enum err e = tus_uploads_find(app->db, caller->session, caller->owner,
				      id, part, &rs->why);

	if (e == ERR_NOT_FOUND || (e == ERR_OK && part->concat != TUS_PARTIAL))
		return tus_problem_not_a_part(rs, id);
	if (e == ERR_OK)
		e = resumable_offset(app->store, part->id, &offset, &written_at,
				     &rs->why);
	if (e == ERR_NOT_FOUND)
		return tus_problem_part_taken(rs);
	if (e == ERR_OK && offset != part->length)
		return tus_problem_part_incomplete(rs, part->id);
	return e;
}

static bool is_among(const struct tus_upload *parts, size_t count,
		     struct span id)
{
	for (size_t i = 0; i < count; i++)
		if (span_eq_nocase(span_of(parts[i].id), id))
			return true;
	return false;
}

/* Find the parts; *length is the sum of their lengths. Each part is removed in
 * the end, so none may be named twice. */
static enum err find_parts(const struct app *app, struct response *rs,
			   struct tus_caller *caller, struct span list,
			   struct tus_upload *parts, size_t *count,
			   int64_t *length)
{
	int64_t sum = 0;
	struct span id;
	size_t n = 0;
	enum err e;

	for (; tus_concat_next(&list, &id); n++) {
		if (n == TUS_PARTS_MAX)
			return tus_problem_too_many_parts(rs);
		if (is_among(parts, n, id))
			return tus_problem_part_twice(rs);
		e = find_part(app, rs, caller, id, &parts[n]);
		if (e != ERR_OK)
			return e;
		if (parts[n].length > app->max_upload - sum)
			return tus_problem_parts_too_large(rs, app->max_upload);
		sum += parts[n].length;
	}
	*count = n;
	*length = sum;
	return ERR_OK;
}

static enum err copy_parts(struct store *store, const char *id,
			   const struct tus_upload *parts, size_t count,
			   struct errmsg *why)
{
	struct resumable *whole = NULL;
	int64_t offset = 0;
	enum err e = resumable_open(store, id, &offset, false, &whole, why);

	for (size_t i = 0; i < count && e == ERR_OK; i++)
		e = resumable_append(whole, parts[i].id, parts[i].length, why);
	if (e == ERR_OK)
		e = resumable_sync(whole, why);
	resumable_close(whole);
	return e;
}

/* --- afterwards ----------------------------------------------------------- */

/* The rows of the parts were deleted when the new row was added */
static void remove_bytes_of_parts(struct store *store,
				  const struct tus_upload *parts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)!resumable_remove(store, parts[i].id, NULL);
}

/* Remove the parts: what is infected is not kept in pieces either */
static void remove_parts(const struct app *app, const struct tus_upload *parts,
			 size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (tus_uploads_remove(app->db, &parts[i], NULL) == ERR_OK)
			(void)!resumable_remove(app->store, parts[i].id, NULL);
}

/* Remove the bytes, which no row names. After ERR_UNAVAILABLE they may be a
 * file: leave them to gc. */
static void remove_whole(struct store *store, const char *id, enum err e)
{
	if (e == ERR_UNAVAILABLE)
		return;
	(void)!resumable_remove(store, id, NULL);
	(void)!store_remove(store, id, NULL);
}

/* --- in order ------------------------------------------------------------- */

static enum err join_parts(const struct app *app, struct request *rq,
			   struct response *rs, struct tus_caller *caller,
			   struct tus_upload *u, const struct tus_upload *parts,
			   size_t count)
{
	enum err e = copy_parts(app->store, u->id, parts, count, &rs->why);

	if (e == ERR_OK)
		e = tus_complete_joined(app, rq, rs, caller->session, u, parts,
					count);
	/* All parts were complete when they were found */
	if (e == ERR_CONFLICT || e == ERR_NOT_FOUND)
		e = tus_problem_part_taken(rs);
	if (e == ERR_OK)
		remove_bytes_of_parts(app->store, parts, count);
	else
		remove_whole(app->store, u->id, e);
	if (e == ERR_INFECTED)
		remove_parts(app, parts, count);
	return e;
}

enum err tus_join(const struct app *app, struct request *rq,
		  struct response *rs, struct tus_caller *caller,
		  struct tus_upload *u, struct span list)
{
	struct tus_upload *parts =
		arena_alloc(rq->arena, sizeof(*parts) * TUS_PARTS_MAX);
	size_t count = 0;
	enum err e = parts != NULL ? ERR_OK : ERR_MEMORY;

	if (e == ERR_OK)
		e = find_parts(app, rs, caller, list, parts, &count,
			       &u->length);
	if (e == ERR_OK)
		e = resumable_create(app->store, u->id, &rs->why);
	if (e != ERR_OK)
		return e;
	e = join_parts(app, rq, rs, caller, u, parts, count);
	store_unlock(app->store, u->id);
	return e;
}
