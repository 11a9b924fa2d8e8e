#include "gateway_settings.h"

#include "app.h"

const struct config_item gateway_settings[GATEWAY_SETTINGS] = {
	{ "DATA_DIR", CONFIG_TEXT, offsetof(struct app, data_dir), NULL, 0, 0,
	  "directory that keeps the files" },
	{ "SENDFILE", CONFIG_TEXT, offsetof(struct app, sendfile), "none", 0, 0,
	  "x-sendfile: the server sends the bytes; none: we do" },
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
	  offsetof(struct app, inspector.magic_database), "", 0, 0,
	  "libmagic's magic.mgc; empty: where libmagic has it" },
	{ "CLAMD", CONFIG_TEXT, offsetof(struct app, inspector.clamd), "", 0, 0,
	  "socket or host:port of the clamd that scans uploads; empty: none "
	  "does" },
	{ "CLAMD_MAX", CONFIG_INT, offsetof(struct app, inspector.clamd_max),
	  "104857600", 1, UINT32_MAX,
	  "bytes of a file that is scanned; not more than clamd's "
	  "StreamMaxLength" },
	{ "CLAMD_LARGER", CONFIG_TEXT,
	  offsetof(struct app, inspector.clamd_larger), "refuse", 0, 0,
	  "larger files: refuse, or accept them unscanned" },
	{ "CLAMD_TIMEOUT", CONFIG_INT,
	  offsetof(struct app, inspector.clamd_timeout), "120", 1, 3600,
	  "seconds that the scan of a file may take" },
	{ "UPLOAD_LIFE", CONFIG_INT, offsetof(struct app, upload_life), "86400",
	  1, 365 * 86400,
	  "seconds after which a resumable upload that was left is removed" },
};

const struct settings_defaults gateway_defaults = { "gateway", "64" };
