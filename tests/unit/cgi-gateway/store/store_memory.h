/* store_memory.h - a store in memory: the second implementation, which shows
 * that callers depend on store.h alone. It has no paths. */
#ifndef STORE_MEMORY_H
#define STORE_MEMORY_H

#include "cgi-gateway/store/store.h"

/* What several stores share, as processes share a disk */
struct memory_data;

struct memory_data *memory_data_new(void);
void memory_data_free(struct memory_data *d); /* after its stores are closed */

enum err store_memory_open(struct memory_data *d, struct store **out,
			   struct errmsg *why) MUST_CHECK;

#endif
