/* tus_complete.h - an upload that has all of its bytes becomes a file. */
#ifndef TUS_COMPLETE_H
#define TUS_COMPLETE_H

#include "cgi-gateway/tus/tus.h"

/* Make t->u the file of the same id, if nobody did before us; `parts` are those
 * that it was put together of, if it was, and go with it. Several may try at
 * once, and whoever comes after one that broke off goes on with it.
 *
 *   ERR_DIGEST     it has another sha256 than Upload-Metadata said;
 *   ERR_INFECTED, ERR_TOO_LARGE  inspect.h's; after these it is removed
 *   ERR_NOT_FOUND  it was removed
 *   ERR_CONFLICT   it has not all of its bytes, or not all of its parts
 *   ERR_UNAVAILABLE  try again: a HEAD will do
 */
enum err tus_complete(struct tus *t, const struct tus_upload *parts,
		      size_t count) MUST_CHECK;

/* Remove t->u, row and bytes. ERR_NOT_FOUND: it is a file by now, or gone. */
enum err tus_remove(struct tus *t) MUST_CHECK;

#endif
