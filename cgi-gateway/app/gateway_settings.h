/* gateway_settings.h - the settings of cgi-gateway and gateway-admin. */
#ifndef GATEWAY_SETTINGS_H
#define GATEWAY_SETTINGS_H

#include "cgi-gateway/app/app.h"
#include "common/server/settings.h"

/* The gateway's own settings, as members of struct app. */
enum { GATEWAY_SETTINGS = 21 };
extern const struct config_item gateway_settings[GATEWAY_SETTINGS];

extern const struct settings_defaults gateway_defaults;

/* Check settings that depend on each other, and fill app->webhook_targets.
 * ERR_CONFIG, ERR_MEMORY. */
enum err gateway_settings_check(struct app *app, struct errmsg *why) MUST_CHECK;

#endif
