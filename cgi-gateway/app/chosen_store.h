/* chosen_store.h - opens the store that the setting STORE names.
 *
 * The list of implementations is in chosen_store.c; nothing else knows which
 * one the program uses.
 */
#ifndef CHOSEN_STORE_H
#define CHOSEN_STORE_H

#include "cgi-gateway/app/app.h"

/* ERR_CONFIG if STORE names no implementation; `why` lists those that exist. */
enum err chosen_store_known(const struct app *app,
			    struct errmsg *why) MUST_CHECK;

/* Open app->store. ERR_CONFIG if its settings do not work, ERR_MEMORY. */
enum err chosen_store_open(struct app *app, struct errmsg *why) MUST_CHECK;

/* Whether chosen_store_open() is likely to succeed, without creating anything.
 * ERR_CONFIG */
enum err chosen_store_check(const struct app *app,
			    struct errmsg *why) MUST_CHECK;

#endif
