/* app.h - what every handler of the gateway receives: settings, and what was
 * opened at the start of the program. */
#ifndef APP_H
#define APP_H

#include "cgi-gateway/parse/file_name.h"
#include "cgi-gateway/parse/webhook_target.h"
#include "cgi-gateway/scan/content_scanner.h"
#include "cgi-gateway/store/store.h"
#include "cgi-gateway/tables/files_batch.h"
#include "cgi-gateway/tables/refused_owners.h"
#include "common/http/router.h"
#include "common/server/program.h"

struct app {
	/* settings, filled by config_load() */
	char *store_name, *data_dir, *sendfile;
	int64_t max_upload;	   /* bytes of one file */
	int64_t max_files;	   /* files of one request */
	struct quota_limits quota; /* defaults for owners without own limits */
	/* bytes of bodies in progress: of all users, of one; 0: the default */
	int64_t spool_max, spool_user_max;
	int64_t max_unfinished; /* resumable uploads of one user */
	struct content_scanner content_scanner;
	char *event_urls, *event_secret, *event_ca;
	int64_t event_timeout; /* seconds */
	int64_t event_days;
	/* seconds without a request after which a resumable upload expires */
	int64_t upload_life;
	/* filled by gateway_settings_check() */
	struct webhook_targets webhook_targets;
	/* filled by app_open() in main.c; `store` by chosen_store_open() */
	bool by_server; /* the server in front sends the bytes */
	/* it gets an address (X-Accel-Redirect), not a path (X-Sendfile) */
	bool by_address;
	struct store *store;
	struct files_batch *batch;
	struct refused_owners refused;
	struct db *db;		 /* the service's */
	struct metrics *metrics; /* the service's */
	const char *public_url;	 /* the service's; may be "" */
};

handler_fn handle_upload;	  /* POST /upload */
handler_fn handle_upload_named;	  /* PUT /upload/{name} */
handler_fn handle_upload_unnamed; /* PUT /upload: 400 */
handler_fn handle_download;	  /* GET /download/{id}, GET /download?fid= */
handler_fn handle_files;	  /* GET /files */
handler_fn handle_file;		  /* GET /files/{id} */
handler_fn handle_file_change;	  /* PATCH /files/{id} */
handler_fn handle_file_remove;	  /* DELETE /files/{id} */
handler_fn handle_link_new;	  /* POST /files/{id}/links */
handler_fn handle_links;	  /* GET /files/{id}/links */
handler_fn handle_link_end;	  /* DELETE /links/{id} */
handler_fn handle_shared;	  /* GET /s/{token} */
handler_fn handle_usage;	  /* GET /usage */
handler_fn handle_tus_new;	  /* POST /tus */
handler_fn handle_tus_show;	  /* HEAD, GET /tus/{id} */
handler_fn handle_tus_bytes;	  /* PATCH /tus/{id} */
handler_fn handle_tus_end;	  /* DELETE /tus/{id} */
handler_fn handle_ready;	  /* GET /readyz */
handler_fn handle_metrics;	  /* GET /metrics */

handler_fn handle_upload_link_new;     /* POST /upload-links */
handler_fn handle_upload_links;	       /* GET /upload-links */
handler_fn handle_upload_link_end;     /* DELETE /upload-links/{id} */
handler_fn handle_upload_link_show;    /* GET /u/{token} */
handler_fn handle_upload_link_post;    /* POST /u/{token} */
handler_fn handle_upload_link_put;     /* PUT /u/{token}/{name} */
handler_fn handle_upload_link_unnamed; /* PUT /u/{token}: 400 */

#endif
