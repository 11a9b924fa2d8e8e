/* settings.h - the settings of both programs: database, keys, logging. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "common/base/err.h"
#include "common/codec/config.h"
#include "common/db/db.h"
#include "common/token/jwt.h"
#include "common/token/keyring_file.h"

struct settings {
	/* See common_items in settings.c; texts are owned */
	char *mysql_host, *mysql_socket, *mysql_user, *mysql_password;
	char *mysql_db, *mysql_tls, *mysql_tls_ca, *mysql_tls_cert,
		*mysql_tls_key;
	int64_t mysql_port, db_pool, db_timeout;
	char *jwt_secret, *jwt_keyring, *jwt_issuer, *jwt_audience;
	int64_t threads, connections, drain_seconds;
	int64_t body_rate_bytes, body_rate_seconds;
	char *log_level, *cors_origins, *public_url, *metrics_file,
		*trusted_proxies, *changes_dir;
};

/* The defaults that differ between the programs. */
struct settings_defaults {
	const char *mysql_db, *threads;
};

enum err settings_load(const struct settings_defaults *d, struct settings *out,
		       struct errmsg *why) MUST_CHECK;

/* The same for a tool that signs nothing: JWT_SECRET is not read, because the
 * tool may lack permission for its file; jwt_secret is NULL. */
enum err settings_load_tool(const struct settings_defaults *d,
			    struct settings *out,
			    struct errmsg *why) MUST_CHECK;
void settings_release(struct settings *s);
void settings_print(const struct settings *s, FILE *to);
void settings_help(const struct settings_defaults *d, FILE *to);

/* Return the pool's configuration, which borrows from `s`. */
struct db_config settings_db(const struct settings *s);

/* Open the keys, from JWT_SECRET or JWT_KEYRING. ERR_CONFIG if neither or both
 * are set, or the keys cannot be used; ERR_MEMORY. */
enum err settings_keys(const struct settings *s, struct keyring_file **out,
		       struct errmsg *why) MUST_CHECK;

/* Return the rules for tokens, which borrow from `s`. */
struct jwt_rules settings_rules(const struct settings *s);

#endif
