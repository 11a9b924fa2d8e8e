/* disk_resumable.h - the files of a resumable upload, without a writer: create,
 * find the offset, remove. They are operations of resumable_ops (store_ops.h). */
#ifndef DISK_RESUMABLE_H
#define DISK_RESUMABLE_H

#include "cgi-gateway/store/disk/disk_layout.h"

enum err disk_resumable_create(struct store *s, const char *id,
			       struct errmsg *why) MUST_CHECK;
enum err disk_resumable_offset(struct store *s, const char *id, int64_t *offset,
			       int64_t *written_at,
			       struct errmsg *why) MUST_CHECK;
enum err disk_resumable_remove(struct store *s, const char *id,
			       struct errmsg *why) MUST_CHECK;

#endif
