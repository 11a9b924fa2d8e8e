/* disk_objects.h - creates objects, moves files from incoming/ to objects/, finds
 * and removes them. */
#ifndef DISK_OBJECTS_H
#define DISK_OBJECTS_H

#include "cgi-gateway/store/disk/disk_layout.h"

/* Make the file `fd`, which is incoming/<id>, the object `id`: durable, then
 * visible. After a failure there is no object, and the file is still in
 * incoming/. */
enum err disk_place(struct disk_store *s, const char *id, int fd,
		    struct errmsg *why) MUST_CHECK;

/* Make a new object `id` of `bytes`: a file without a name is written and
 * linked into objects/, then flushed. A crash before the flush may leave a name
 * with other bytes, which is an object without a row. After a failure there is
 * no object. ERR_CONFLICT: there was one already. ERR_METHOD: not possible here (disk_method.h); use disk_place(). */
enum err disk_put(struct disk_store *s, const char *id, struct span bytes,
		  struct errmsg *why) MUST_CHECK;

/* Create the directories objects/00/ to objects/ff/ if they are missing and
 * objects/ belongs to this user. Errors are ignored: a missing directory is
 * created with its first object. */
void disk_make_fan(struct disk_store *s);

enum err disk_exists(struct store *s, const char *id,
		     struct errmsg *why) MUST_CHECK;
enum err disk_path(struct store *s, const char *id,
		   char out[static STORE_PATH_MAX]) MUST_CHECK;
enum err disk_remove(struct store *s, const char *id,
		     struct errmsg *why) MUST_CHECK;

#endif
