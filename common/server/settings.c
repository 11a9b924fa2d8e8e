#include "common/server/settings.h"

#include "common/http/client.h"
#include "common/log/log.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(struct settings, field)

static const struct config_item common_items[] = {
	{ "MYSQL_HOST", CONFIG_TEXT, AT(mysql_host), "localhost", 0, 0,
	  "database server; hosts separated by commas are tried in order" },
	{ "MYSQL_PORT", CONFIG_INT, AT(mysql_port), "3306", 1, 65535,
	  "TCP port of the database server" },
	{ "MYSQL_SOCKET", CONFIG_TEXT, AT(mysql_socket), "", 0, 0,
	  "Unix socket of the database server, instead of host and port" },
	{ "MYSQL_USER", CONFIG_TEXT, AT(mysql_user), NULL, 0, 0,
	  "account at the database" },
	{ "MYSQL_PASSWORD", CONFIG_SECRET, AT(mysql_password), "", 0, 0,
	  "password of that account" },
	{ "MYSQL_DB", CONFIG_TEXT, AT(mysql_db), "", 0, 0,
	  "name of the database" },
	{ "MYSQL_TLS", CONFIG_TEXT, AT(mysql_tls), "off", 0, 0,
	  "TLS to the database: off, on, or verify (the server's "
	  "certificate)" },
	{ "MYSQL_TLS_CA", CONFIG_TEXT, AT(mysql_tls_ca), "", 0, 0,
	  "PEM file of the authorities for MYSQL_TLS=verify; empty: the "
	  "system's" },
	{ "MYSQL_TLS_CERT", CONFIG_TEXT, AT(mysql_tls_cert), "", 0, 0,
	  "PEM file of the certificate that the database account requires" },
	{ "MYSQL_TLS_KEY", CONFIG_TEXT, AT(mysql_tls_key), "", 0, 0,
	  "PEM file of the key of MYSQL_TLS_CERT" },
	{ "DB_POOL", CONFIG_INT, AT(db_pool), "8", 1, DB_POOL_MAX,
	  "highest number of database connections" },
	{ "DB_TIMEOUT", CONFIG_INT, AT(db_timeout), "5", 1, 300,
	  "seconds to wait for the database before a request fails" },
	{ "THREADS", CONFIG_INT, AT(threads), "", 1, 1024,
	  "requests worked on at the same time; one that waits for its client "
	  "does not count" },
	{ "CONNECTIONS", CONFIG_INT, AT(connections), "2048", 1, 65536,
	  "requests open at the same time, with a thread each; three quarters "
	  "of them may wait for their clients, half of these for those of one "
	  "user" },
	{ "BODY_RATE_BYTES", CONFIG_INT, AT(body_rate_bytes), "600", 0, 1048576,
	  "bytes of a body that must arrive in BODY_RATE_SECONDS of waiting; "
	  "0: no limit" },
	{ "BODY_RATE_SECONDS", CONFIG_INT, AT(body_rate_seconds), "60", 1, 3600,
	  "after so many seconds of waiting, too slow a body is cut" },
	{ "DRAIN_SECONDS", CONFIG_INT, AT(drain_seconds), "30", 0, 3600,
	  "seconds that requests under way may take after SIGTERM" },
	{ "LOG_LEVEL", CONFIG_TEXT, AT(log_level), "info", 0, 0,
	  "least level that is logged: debug, info, warn or error" },
	{ "CORS_ORIGINS", CONFIG_TEXT, AT(cors_origins), "", 0, 0,
	  "origins whose pages may send requests, separated by blanks" },
	{ "METRICS_FILE", CONFIG_TEXT, AT(metrics_file), "", 0, 0,
	  "file with the counters of all processes of the program" },
	{ "CHANGES_DIR", CONFIG_TEXT, AT(changes_dir), "", 0, 0,
	  "folder by which all programs of one machine may remember rows of "
	  "the database; empty: ask it each time" },
	{ "PUBLIC_URL", CONFIG_TEXT, AT(public_url), "", 0, 0,
	  "prefix of URLs in answers, like https://files.example.org" },
	{ "TRUSTED_PROXIES", CONFIG_TEXT, AT(trusted_proxies), "", 0, 0,
	  "addresses and CIDR blocks of proxies whose X-Forwarded-For and "
	  "X-Forwarded-Prefix are trusted" },
	{ "JWT_ISSUER", CONFIG_TEXT, AT(jwt_issuer), "gatehouse", 0, 0,
	  "\"iss\" of tokens" },
	{ "JWT_AUDIENCE", CONFIG_TEXT, AT(jwt_audience), "", 0, 0,
	  "\"aud\" of tokens; empty: none" },
	{ "JWT_KEYRING", CONFIG_TEXT, AT(jwt_keyring), "", 0, 0,
	  "file of signing keys, instead of one secret (auth-admin key new)" },
	/* The last, so that tools can leave it out */
	{ "JWT_SECRET", CONFIG_SECRET, AT(jwt_secret), "", 0, 0,
	  "the secret that signs tokens, 32 bytes or more" },
};

enum { COMMON_COUNT = sizeof(common_items) / sizeof(*common_items) };

/* Copy the table, with the program's own fallbacks */
static void fill_items(const struct settings_defaults *d,
		       struct config_item items[static COMMON_COUNT])
{
	for (size_t i = 0; i < COMMON_COUNT; i++) {
		items[i] = common_items[i];
		if (items[i].offset == AT(mysql_db))
			items[i].fallback = d->mysql_db;
		if (items[i].offset == AT(threads))
			items[i].fallback = d->threads;
	}
}

/* `*out` is untouched if `word` is none of the three */
static bool tls_of(struct span word, enum db_tls *out)
{
	if (span_eq(word, SPAN("off")))
		*out = DB_TLS_OFF;
	else if (span_eq(word, SPAN("on")))
		*out = DB_TLS_ON;
	else if (span_eq(word, SPAN("verify")))
		*out = DB_TLS_VERIFY;
	else
		return false;
	return true;
}

static enum err check_readable(const char *name, const char *path,
			       struct errmsg *why)
{
	FILE *f;

	if (path[0] == '\0')
		return ERR_OK;
	f = fopen(path, "re");
	if (f == NULL)
		return err_set(why, ERR_CONFIG, "%s: cannot read %s: %s", name,
			       path, strerror(errno));
	(void)fclose(f);
	return ERR_OK;
}

/* A file that would be ignored is an error: the connection would be less safe
 * than the operator believes */
static enum err check_tls(const struct settings *s, struct errmsg *why)
{
	enum db_tls tls = DB_TLS_OFF;
	bool cert = s->mysql_tls_cert[0] != '\0';
	enum err e;

	if (!tls_of(span_of(s->mysql_tls), &tls))
		return err_set(why, ERR_CONFIG,
			       "MYSQL_TLS: must be off, on or verify, not "
			       "\"%.40s\"",
			       s->mysql_tls);
	if (s->mysql_tls_ca[0] != '\0' && tls != DB_TLS_VERIFY)
		return err_set(why, ERR_CONFIG,
			       "MYSQL_TLS_CA: needs MYSQL_TLS=verify; %s does "
			       "not verify the server's certificate",
			       s->mysql_tls);
	if (cert != (s->mysql_tls_key[0] != '\0'))
		return err_set(why, ERR_CONFIG,
			       "MYSQL_TLS_CERT and MYSQL_TLS_KEY: set both or "
			       "neither");
	if (cert && tls == DB_TLS_OFF)
		return err_set(why, ERR_CONFIG,
			       "MYSQL_TLS_CERT: needs MYSQL_TLS=on or verify");
	e = check_readable("MYSQL_TLS_CA", s->mysql_tls_ca, why);
	if (e == ERR_OK)
		e = check_readable("MYSQL_TLS_CERT", s->mysql_tls_cert, why);
	if (e == ERR_OK)
		e = check_readable("MYSQL_TLS_KEY", s->mysql_tls_key, why);
	return e;
}

/* Load the first `count` items */
static enum err load(const struct settings_defaults *d, size_t count,
		     struct settings *out, struct errmsg *why)
{
	struct config_item items[COMMON_COUNT];
	enum log_level level;
	struct span bad;
	enum err e;

	fill_items(d, items);
	out->jwt_secret = NULL;
	e = config_load(items, count, out, why);
	if (e != ERR_OK)
		return e;
	if (!log_level_of(span_of(out->log_level), &level)) {
		e = err_set(why, ERR_CONFIG,
			    "LOG_LEVEL: must be debug, info, warn or error, "
			    "not \"%.40s\"",
			    out->log_level);
	} else if (client_check_trusted(span_of(out->trusted_proxies), &bad) !=
		   ERR_OK) {
		e = err_set(why, ERR_CONFIG,
			    "TRUSTED_PROXIES: \"%.*s\" must be an address or a "
			    "block like 10.0.0.0/8",
			    (int)(bad.len < 60 ? bad.len : 60), bad.p);
	} else {
		e = check_tls(out, why);
	}
	if (e != ERR_OK)
		settings_release(out);
	return e;
}

enum err settings_load(const struct settings_defaults *d, struct settings *out,
		       struct errmsg *why)
{
	return load(d, COMMON_COUNT, out, why);
}

enum err settings_load_tool(const struct settings_defaults *d,
			    struct settings *out, struct errmsg *why)
{
	return load(d, COMMON_COUNT - 1, out, why);
}

void settings_release(struct settings *s)
{
	if (s->jwt_secret != NULL)
		sodium_memzero(s->jwt_secret, strlen(s->jwt_secret));
	sodium_memzero(s->mysql_password, strlen(s->mysql_password));
	config_release(common_items, COMMON_COUNT, s);
}

void settings_print(const struct settings *s, FILE *to)
{
	config_print(common_items, COMMON_COUNT, s, to);
}

void settings_help(const struct settings_defaults *d, FILE *to)
{
	struct config_item items[COMMON_COUNT];

	fill_items(d, items);
	config_help(items, COMMON_COUNT, to);
}

struct db_config settings_db(const struct settings *s)
{
	enum db_tls tls = DB_TLS_OFF;

	(void)tls_of(span_of(s->mysql_tls), &tls);
	return (struct db_config) {
		.host = s->mysql_host,
		.socket = s->mysql_socket,
		.user = s->mysql_user,
		.password = s->mysql_password,
		.name = s->mysql_db,
		.tls = tls,
		.tls_ca = s->mysql_tls_ca,
		.tls_cert = s->mysql_tls_cert,
		.tls_key = s->mysql_tls_key,
		.port = s->mysql_port,
		.pool = s->db_pool,
		.timeout = s->db_timeout,
	};
}

enum err settings_keys(const struct settings *s, struct keyring_file **out,
		       struct errmsg *why)
{
	bool secret = s->jwt_secret[0] != '\0';
	bool ring = s->jwt_keyring[0] != '\0';
	struct errmsg cause;
	enum err e;

	if (secret && ring)
		return err_set(why, ERR_CONFIG,
			       "JWT_SECRET and JWT_KEYRING are both set; keep "
			       "one");
	if (ring) {
		e = keyring_file_open(s->jwt_keyring, out, &cause);
		return e == ERR_OK
			       ? e
			       : err_set(why, e, "JWT_KEYRING: %s", cause.text);
	}
	if (!secret)
		return err_set(why, ERR_CONFIG,
			       "JWT_SECRET: missing; set it or JWT_KEYRING; "
			       "make a secret with: openssl rand -base64 48");
	e = keyring_file_fixed(span_of(s->jwt_secret), out, &cause);
	return e == ERR_OK ? e : err_set(why, e, "JWT_SECRET: %s", cause.text);
}

struct jwt_rules settings_rules(const struct settings *s)
{
	return (struct jwt_rules) { s->jwt_issuer, s->jwt_audience };
}
