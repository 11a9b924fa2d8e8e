/* disk_resumable.h - creates and removes the files of a resumable upload. */
#ifndef DISK_RESUMABLE_H
#define DISK_RESUMABLE_H

#include "cgi-gateway/store/disk/disk_layout.h"

enum err disk_resumable_create(struct store *s, const char *id,
			       struct errmsg *why) MUST_CHECK;
enum err disk_resumable_remove(struct store *s, const char *id,
			       struct errmsg *why) MUST_CHECK;

#endif
