/* upload_link_room.h - an upload link, and the room of its owner, in one round
 * trip. */
#ifndef UPLOAD_LINK_ROOM_H
#define UPLOAD_LINK_ROOM_H

#include "cgi-gateway/tables/upload_links.h"

/* Find the link as upload_links_find() does, with its errors, and the usage of
 * its owner; `defaults` are the limits of an owner without limits of their own.
 */
enum err upload_link_room(struct db *db, struct span token, int64_t now,
			  const struct quota_limits *defaults,
			  struct upload_link *link, struct usage *usage,
			  struct errmsg *why) MUST_CHECK;

#endif
