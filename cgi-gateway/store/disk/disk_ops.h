/* disk_ops.h - the functions in store_disk.c's table of operations. */
#ifndef DISK_OPS_H
#define DISK_OPS_H

#include "cgi-gateway/store/store_ops.h"

extern const struct store_writer_ops disk_writer_ops;
extern const struct store_reader_ops disk_reader_ops;
extern const struct resumable_ops disk_resumable_ops;
extern const struct resumable_commit_ops disk_commit_ops;

enum err disk_walk(struct store *s, store_walk_fn *each, void *arg,
		   struct errmsg *why) MUST_CHECK;

#endif
