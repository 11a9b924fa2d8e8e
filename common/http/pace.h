/* pace.h - answers a request that may not go at the pace of its client. */
#ifndef PACE_H
#define PACE_H

#include "common/http/response.h"

/* Explain an error of worker_pace() (worker_wait.h), and return it; other values
 * unchanged. */
enum err pace_explain(struct response *rs, enum err e) MUST_CHECK;

#endif
