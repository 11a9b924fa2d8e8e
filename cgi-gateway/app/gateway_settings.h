/* gateway_settings.h - what cgi-gateway and gateway-admin are told. */
#ifndef GATEWAY_SETTINGS_H
#define GATEWAY_SETTINGS_H

#include "cgi-gateway/app/app.h"
#include "common/server/settings.h"

/* The table of the gateway's own settings, into a struct app. */
enum { GATEWAY_SETTINGS = 17 };
extern const struct config_item gateway_settings[GATEWAY_SETTINGS];

extern const struct settings_defaults gateway_defaults;

/* What one setting alone does not show: fills app->webhook_targets. ERR_CONFIG,
 * ERR_MEMORY. */
enum err gateway_settings_check(struct app *app, struct errmsg *why) MUST_CHECK;

#endif
