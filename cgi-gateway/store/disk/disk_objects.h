/* disk_objects.h - moves files from incoming/ to objects/, finds and removes
 * them. */
#ifndef DISK_OBJECTS_H
#define DISK_OBJECTS_H

#include "cgi-gateway/store/disk/disk_layout.h"

/* Make the file `fd`, which is incoming/<id>, the object `id`: durable, then
 * visible. After a failure there is no object, and the file is still in
 * incoming/. */
enum err disk_place(struct disk_store *s, const char *id, int fd,
		    struct errmsg *why) MUST_CHECK;

enum err disk_exists(struct store *s, const char *id,
		     struct errmsg *why) MUST_CHECK;
enum err disk_path(struct store *s, const char *id,
		   char out[static STORE_PATH_MAX]) MUST_CHECK;
enum err disk_remove(struct store *s, const char *id,
		     struct errmsg *why) MUST_CHECK;

#endif
