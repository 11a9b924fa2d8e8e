#include "cgi-gateway/tus/tus_join.h"

#include "cgi-gateway/store/resumable.h"
#include "cgi-gateway/tus/tus_complete.h"

static enum err taken(struct tus *t)
{
	return response_explain(t->rs, ERR_CONFLICT,
				"Another request has taken a part of this, or "
				"ended it.");
}

static enum err find_part(struct tus *t, struct span id,
			  struct tus_upload *part)
{
	int64_t offset = 0, written_at;
	enum err e = tus_uploads_find(t->app->db, &t->who, t->owner, id, part,
				      &t->rs->why);

	if (e == ERR_NOT_FOUND || (e == ERR_OK && part->concat != TUS_PARTIAL))
		return response_explain(t->rs, ERR_INVALID,
					"%.*s is no part of an upload.",
					id.len < 100 ? (int)id.len : 100, id.p);
	if (e == ERR_OK)
		e = resumable_offset(t->app->store, part->id, &offset,
				     &written_at, &t->rs->why);
	if (e == ERR_NOT_FOUND)
		return taken(t);
	if (e == ERR_OK && offset != part->length)
		return response_explain(t->rs, ERR_CONFLICT,
					"The part %s has not all of its bytes.",
					part->id);
	return e;
}

static bool is_among(const struct tus_upload *parts, size_t count,
		     struct span id)
{
	for (size_t i = 0; i < count; i++)
		if (span_eq(span_of(parts[i].id), id))
			return true;
	return false;
}

/* *length is what they hold together */
static enum err find_parts(struct tus *t, struct span list,
			   struct tus_upload *parts, size_t *count,
			   int64_t *length)
{
	int64_t sum = 0;
	struct span id;
	size_t n = 0;
	enum err e = ERR_OK;

	while (e == ERR_OK && tus_concat_next(&list, &id)) {
		if (n == TUS_PARTS_MAX)
			return response_explain(t->rs, ERR_TOO_LARGE,
						"An upload is put together of "
						"%d parts at the most.",
						TUS_PARTS_MAX);
		/* Each goes once the whole is there */
		if (is_among(parts, n, id))
			return response_explain(t->rs, ERR_INVALID,
						"A part is named twice.");
		e = find_part(t, id, &parts[n]);
		if (e == ERR_OK && parts[n].length > t->app->max_upload - sum)
			return response_explain(t->rs, ERR_TOO_LARGE,
						"Together the parts are larger "
						"than %lld bytes (MAX_UPLOAD).",
						(long long)t->app->max_upload);
		if (e == ERR_OK)
			sum += parts[n++].length;
	}
	*count = n;
	*length = sum;
	return e;
}

static enum err copy_parts(struct tus *t, const struct tus_upload *parts,
			   size_t count)
{
	struct resumable *p = NULL;
	int64_t at = 0;
	enum err e = resumable_open(t->app->store, t->u.id, &at, false, &p,
				    &t->rs->why);

	for (size_t i = 0; i < count && e == ERR_OK; i++)
		e = resumable_append(p, parts[i].id, parts[i].length,
				     &t->rs->why);
	if (e == ERR_OK)
		e = resumable_sync(p, &t->rs->why);
	resumable_close(p);
	return e;
}

/* Nor is what is infected kept in pieces */
static void remove_parts(struct tus *t, const struct tus_upload *parts,
			 size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (tus_uploads_remove(t->app->db, &parts[i], NULL) == ERR_OK)
			(void)!resumable_remove(t->app->store, parts[i].id,
						NULL);
}

enum err tus_join(struct tus *t, struct span list)
{
	struct tus_upload *parts =
		arena_alloc(t->rq->arena, sizeof(*parts) * TUS_PARTS_MAX);
	struct store *s = t->app->store;
	size_t count = 0;
	enum err e;

	if (parts == NULL)
		return ERR_MEMORY;
	e = find_parts(t, list, parts, &count, &t->u.length);
	if (e == ERR_OK)
		e = resumable_create(s, t->u.id, &t->rs->why);
	if (e != ERR_OK)
		return e;
	e = copy_parts(t, parts, count);
	if (e == ERR_OK)
		e = tus_complete(t, parts, count);
	/* All of them were there when we looked */
	if (e == ERR_CONFLICT || e == ERR_NOT_FOUND)
		e = taken(t);
	for (size_t i = 0; i < count && e == ERR_OK; i++)
		(void)!resumable_remove(s, parts[i].id, &t->rs->why);
	if (e == ERR_INFECTED)
		remove_parts(t, parts, count);
	/* It has no row that anybody could go on with. Not known whether it is
	 * a file: gc will look */
	if (e != ERR_OK && e != ERR_UNAVAILABLE) {
		(void)!resumable_remove(s, t->u.id, NULL);
		(void)!store_remove(s, t->u.id, NULL);
	}
	store_unlock(s, t->u.id);
	return e;
}
