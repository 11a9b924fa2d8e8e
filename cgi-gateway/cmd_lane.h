/* cmd_lane.h - one receiver's way: what it is being sent, and when not.
 *
 * Each receiver has a lane of its own, with requests of its own under way and
 * pauses of its own, so that none waits for another. The lanes share a
 * `struct sender`, which is what they send with.
 *
 * An event that is refused waits by itself (events_failed()), and the others go
 * on, however many are refused. Only when LANE_AWAY requests in a row have
 * found nobody there (struct post_answer, `away`), the receiver is left in
 * peace for a time: then one is tried, and if that is answered, all go on. So a
 * receiver that is down costs one request every LANE_PEACE seconds, not one for
 * every file.
 */
#ifndef CMD_LANE_H
#define CMD_LANE_H

#include "app.h"
#include "cmd_post.h"
#include "events.h"
#include "webhook.h"

enum {
	LANE_WIDTH = 4,	      /* requests under way to one receiver */
	LANE_AWAY = 8,	      /* requests in a row */
	LANE_PEACE = 30,      /* seconds */
	LANE_CLAIM_SPARE = 30 /* seconds that a claim outlives its request */
};

struct sender {
	const struct app *app; /* its database and settings */
	struct webhook_keys keys;
	struct posts *posts;
	bool stays; /* what is left in peace is tried again; else not */
};

/* A request under way */
struct attempt {
	struct lane *lane; /* NULL: none is */
	struct event event;
};

struct lane {
	const char *url;
	struct event row, page[EVENTS_PAGE]; /* what may be tried next */
	size_t next, count;
	struct attempt attempts[LANE_WIDTH];
	size_t busy;	     /* of these */
	int64_t away;	     /* requests in a row */
	int64_t quiet_until; /* when these are LANE_AWAY */
	int64_t delivered, failed, died;
};

/* Begin as many requests as there is room for, of what was due at `due`. */
enum err lane_fill(struct lane *l, const struct sender *s, int64_t due,
		   int64_t now, struct errmsg *m) MUST_CHECK;

/* A request of posts_begin() has ended: write that down, and a line in the log
 * if it failed. */
enum err lane_settle(const struct sender *s, const struct post_answer *answer,
		     int64_t now, struct errmsg *m) MUST_CHECK;

#endif
