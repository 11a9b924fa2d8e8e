/* webhook.h - makes a signed request of an event, as in Standard Webhooks 1.0
 * (standardwebhooks.com).
 *
 *	webhook-id         of the event: the same for every attempt and every
 *	                   target, so that a target detects repetitions
 *	webhook-timestamp  of this attempt, seconds since 1970 UTC
 *	webhook-signature  "v1," and the base64 of an HMAC-SHA256 over id "."
 *	                   timestamp "." body; one for each secret, separated by
 *	                   blanks
 *
 * The id consists of the kind and the file, because each kind of event happens
 * to a file once. The number of the row is not used: after a database is
 * restored from a backup, numbers are repeated, and targets would ignore new
 * events as repetitions.
 */
#ifndef WEBHOOK_H
#define WEBHOOK_H

#include "cgi-gateway/tables/outbox.h"
#include "common/base/buf.h"
#include "common/codec/digest.h"
#include "common/codec/encode.h"

enum {
	WEBHOOK_KEYS_MAX = 2,	 /* secrets: the current and the previous one */
	WEBHOOK_KEY_MIN = 32,	 /* bytes of a secret */
	WEBHOOK_KEY_MAX = 64,	 /* bytes of one in base64, by the standard */
	WEBHOOK_BODY_MAX = 8192, /* bytes; the longest name takes 1,600 */
	WEBHOOK_ID_MAX = EVENT_KIND_MAX + 1 + UUID_LEN,
	WEBHOOK_SIGNATURE_SIZE = 3 + BASE64_SIZE(SHA256_LEN), /* of one key */
	WEBHOOK_SIGNATURES_SIZE = WEBHOOK_KEYS_MAX * WEBHOOK_SIGNATURE_SIZE,
};

struct webhook_keys {
	size_t count;
	struct hmac_key *key[WEBHOOK_KEYS_MAX];
};

/* Read EVENT_SECRET: one secret, or two separated by a blank while targets
 * change from one to the other. A secret is "whsec_" and base64; without that
 * prefix its characters are the key. ERR_CONFIG: no secret, too many, or one
 * that is too short or not base64. ERR_MEMORY. */
enum err webhook_keys_read(struct span secrets, struct webhook_keys *out,
			   struct errmsg *why) MUST_CHECK;
void webhook_keys_release(struct webhook_keys *k);

struct webhook {
	char id[WEBHOOK_ID_MAX + 1];
	char timestamp[24];
	char signature[WEBHOOK_SIGNATURES_SIZE];
	struct buf content; /* the signed bytes, which end with the body */
	size_t body;	    /* where the body begins */
};

/* Make the request of an attempt at `now` to deliver `e`; release it with
 * webhook_release(). ERR_MEMORY. */
enum err webhook_make(const struct webhook_keys *k, const struct event *e,
		      int64_t now, struct webhook *out) MUST_CHECK;
void webhook_release(struct webhook *w);

/* Return the JSON to send, valid until webhook_release(). */
struct span webhook_body(const struct webhook *w);

#endif
