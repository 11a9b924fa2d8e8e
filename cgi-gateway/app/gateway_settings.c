#include "cgi-gateway/app/gateway_settings.h"

#include "cgi-gateway/events/webhook.h"

const struct config_item gateway_settings[GATEWAY_SETTINGS] = {
	{ "DATA_DIR", CONFIG_TEXT, offsetof(struct app, data_dir), NULL, 0, 0,
	  "directory that keeps the files" },
	{ "SENDFILE", CONFIG_TEXT, offsetof(struct app, sendfile), "none", 0, 0,
	  "x-sendfile: the server sends the bytes; x-accel-redirect: nginx "
	  "does; none: we do" },
	{ "MAX_UPLOAD", CONFIG_INT, offsetof(struct app, max_upload),
	  "107374182400", 1, INT64_MAX / 2, "bytes of one file at the most" },
	{ "MAX_FILES", CONFIG_INT, offsetof(struct app, max_files), "100", 1,
	  1000, "files of one upload at the most" },
	{ "QUOTA_BYTES", CONFIG_INT, offsetof(struct app, quota.bytes), "0", 0,
	  INT64_MAX / 2,
	  "bytes that a user may keep, unless told otherwise; 0: no limit" },
	{ "QUOTA_FILES", CONFIG_INT, offsetof(struct app, quota.files), "0", 0,
	  INT64_MAX / 2,
	  "files that a user may keep, unless told otherwise; 0: no limit" },
	{ "MAGIC_DATABASE", CONFIG_TEXT,
	  offsetof(struct app, content_scanner.magic_database), "", 0, 0,
	  "libmagic's magic.mgc; empty: where libmagic has it" },
	{ "CLAMD", CONFIG_TEXT, offsetof(struct app, content_scanner.clamd), "", 0, 0,
	  "socket or host:port of the clamd that scans uploads; empty: none "
	  "does" },
	{ "CLAMD_MAX", CONFIG_INT, offsetof(struct app, content_scanner.clamd_max),
	  "104857600", 1, UINT32_MAX,
	  "bytes of a file that is scanned; not more than clamd's "
	  "StreamMaxLength" },
	{ "CLAMD_LARGER", CONFIG_TEXT,
	  offsetof(struct app, content_scanner.clamd_larger), "refuse", 0, 0,
	  "larger files: refuse, or accept them unscanned" },
	{ "CLAMD_TIMEOUT", CONFIG_INT,
	  offsetof(struct app, content_scanner.clamd_timeout), "120", 1, 3600,
	  "seconds that the scan of a file may take" },
	{ "UPLOAD_LIFE", CONFIG_INT, offsetof(struct app, upload_life), "86400",
	  1, 365 * 86400,
	  "seconds after which a resumable upload that was left is removed" },
	{ "EVENT_URLS", CONFIG_TEXT, offsetof(struct app, event_urls), "", 0, 0,
	  "addresses of services that gateway-admin deliver tells of files, "
	  "separated by blanks" },
	{ "EVENT_SECRET", CONFIG_SECRET, offsetof(struct app, event_secret), "",
	  0, 0,
	  "what signs that: whsec_ and 32 to 64 bytes in base64, or 32 "
	  "characters or more" },
	{ "EVENT_CA", CONFIG_TEXT, offsetof(struct app, event_ca), "", 0, 0,
	  "file of the authorities that certify https ones; else the "
	  "system's" },
	{ "EVENT_TIMEOUT", CONFIG_INT, offsetof(struct app, event_timeout),
	  "15", 1, 300, "seconds in which such a service has to answer" },
	{ "EVENT_DAYS", CONFIG_INT, offsetof(struct app, event_days), "3", 1,
	  365, "days after which an event that still fails is given up" },
};

const struct settings_defaults gateway_defaults = { "gateway", "64" };

enum err gateway_settings_check(struct app *app, struct errmsg *why)
{
	struct webhook_keys keys;
	enum err e = webhook_targets_read(span_of(app->event_urls),
					  &app->webhook_targets, why);

	/* Only gateway-admin deliver signs, and asks for a secret */
	if (e != ERR_OK || app->webhook_targets.count == 0 ||
	    app->event_secret[0] == '\0')
		return e;
	e = webhook_keys_read(span_of(app->event_secret), &keys, why);
	if (e == ERR_OK)
		webhook_keys_release(&keys);
	return e;
}
