/* chosen_store.h - opens the store that the setting STORE names.
 *
 * The list of implementations is in chosen_store.c; no other code depends on
 * which one the program uses.
 */
#ifndef CHOSEN_STORE_H
#define CHOSEN_STORE_H

#include "cgi-gateway/app/app.h"

/* Check STORE. ERR_CONFIG if it names no implementation; `why` lists them. */
enum err chosen_store_known(const struct app *app,
			    struct errmsg *why) MUST_CHECK;

/* Open app->store. ERR_CONFIG if its settings cannot be used; ERR_MEMORY. */
enum err chosen_store_open(struct app *app, struct errmsg *why) MUST_CHECK;

/* Check whether chosen_store_open() is likely to succeed, without creating
 * anything. Returns ERR_CONFIG if it is not. */
enum err chosen_store_check(const struct app *app,
			    struct errmsg *why) MUST_CHECK;

#endif
