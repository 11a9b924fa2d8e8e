#include "cgi-gateway/app/gateway_settings.h"

#include "cgi-gateway/app/chosen_store.h"
#include "cgi-gateway/events/webhook.h"

const struct config_item gateway_settings[GATEWAY_SETTINGS] = {
	{ "STORE", CONFIG_TEXT, offsetof(struct app, store_name), "disk", 0, 0,
	  "where the files are kept; disk: in DATA_DIR" },
	{ "DATA_DIR", CONFIG_TEXT, offsetof(struct app, data_dir), NULL, 0, 0,
	  "directory in which the files are stored" },
	{ "SENDFILE", CONFIG_TEXT, offsetof(struct app, sendfile), "none", 0, 0,
	  "how a file is sent: x-sendfile: by the server in front; "
	  "x-accel-redirect: by nginx; none: by the gateway" },
	{ "MAX_UPLOAD", CONFIG_INT, offsetof(struct app, max_upload),
	  "107374182400", 1, INT64_MAX / 2, "largest file, in bytes" },
	{ "MAX_FILES", CONFIG_INT, offsetof(struct app, max_files), "100", 1,
	  1000, "most files of one upload" },
	{ "QUOTA_BYTES", CONFIG_INT, offsetof(struct app, quota.bytes), "0", 0,
	  INT64_MAX / 2,
	  "bytes that a user may store, if no other limit is set for the user; "
	  "0: no limit" },
	{ "QUOTA_FILES", CONFIG_INT, offsetof(struct app, quota.files), "0", 0,
	  INT64_MAX / 2,
	  "files that a user may store, if no other limit is set for the user; "
	  "0: no limit" },
	{ "SPOOL_MAX", CONFIG_INT, offsetof(struct app, spool_max), "0", 0,
	  INT64_MAX / 2,
	  "bytes of all uploads by /upload and upload links that are in "
	  "progress; 0: what is free on the disk of DATA_DIR" },
	{ "SPOOL_USER_MAX", CONFIG_INT, offsetof(struct app, spool_user_max),
	  "0", 0, INT64_MAX / 2,
	  "the same of one user; 0: half of SPOOL_MAX. A single upload is "
	  "always allowed" },
	{ "MAX_UNFINISHED", CONFIG_INT, offsetof(struct app, max_unfinished),
	  "500", 1, 100000,
	  "resumable uploads that a user may have begun and not finished" },
	{ "MAGIC_DATABASE", CONFIG_TEXT,
	  offsetof(struct app, content_scanner.magic_database), "", 0, 0,
	  "path of a database of libmagic (magic.mgc) to use instead of the "
	  "program's own rules" },
	{ "CLAMD", CONFIG_TEXT, offsetof(struct app, content_scanner.clamd), "",
	  0, 0,
	  "socket or host:port of the clamd that scans uploads; empty: uploads "
	  "are not scanned" },
	{ "CLAMD_MAX", CONFIG_INT,
	  offsetof(struct app, content_scanner.clamd_max), "104857600", 1,
	  UINT32_MAX,
	  "largest file that is scanned, in bytes; at most clamd's "
	  "StreamMaxLength" },
	{ "CLAMD_LARGER", CONFIG_TEXT,
	  offsetof(struct app, content_scanner.clamd_larger), "refuse", 0, 0,
	  "files larger than CLAMD_MAX: refuse, or accept them unscanned" },
	{ "CLAMD_TIMEOUT", CONFIG_INT,
	  offsetof(struct app, content_scanner.clamd_timeout), "120", 1, 3600,
	  "seconds after which the scan of a file fails" },
	{ "UPLOAD_LIFE", CONFIG_INT, offsetof(struct app, upload_life), "86400",
	  1, 365 * 86400,
	  "seconds without a request after which a resumable upload is "
	  "removed" },
	{ "EVENT_URLS", CONFIG_TEXT, offsetof(struct app, event_urls), "", 0, 0,
	  "URLs to which gateway-admin deliver sends the events of files, "
	  "separated by blanks" },
	{ "EVENT_SECRET", CONFIG_SECRET, offsetof(struct app, event_secret), "",
	  0, 0,
	  "secret that signs the events: whsec_ and 32 to 64 bytes in base64, "
	  "or 32 characters or more" },
	{ "EVENT_CA", CONFIG_TEXT, offsetof(struct app, event_ca), "", 0, 0,
	  "file of certificate authorities for https URLs; empty: the "
	  "system's" },
	{ "EVENT_TIMEOUT", CONFIG_INT, offsetof(struct app, event_timeout),
	  "15", 1, 300, "seconds after which a request to such a URL fails" },
	{ "EVENT_DAYS", CONFIG_INT, offsetof(struct app, event_days), "3", 1,
	  365, "days after which an event that still fails is dead" },
};

const struct settings_defaults gateway_defaults = { "gateway", "8" };

enum err gateway_settings_check(struct app *app, struct errmsg *why)
{
	struct webhook_keys keys;
	enum err e = chosen_store_known(app, why);

	if (e == ERR_OK)
		e = webhook_targets_read(span_of(app->event_urls),
					 &app->webhook_targets, why);
	/* A missing secret is an error only for gateway-admin deliver, which
	 * signs */
	if (e != ERR_OK || app->webhook_targets.count == 0 ||
	    app->event_secret[0] == '\0')
		return e;
	e = webhook_keys_read(span_of(app->event_secret), &keys, why);
	if (e == ERR_OK)
		webhook_keys_release(&keys);
	return e;
}
