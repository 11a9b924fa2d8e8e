#include "common/server/settings.h"
#include "tests/unit/unit.h"

#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

#define SECRET "Zt9!kQ2#vL7@xN4$bR8%mW1^pS6&cF3*"
#define KEY_LINE "k1 1000 - AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n"

static const struct settings_defaults defaults = { "auth", "16" };

static void set(const char *name, const char *value)
{
	assert_int_equal(setenv(name, value, 1), 0);
}

static int clean_environment(void **state)
{
	static const char *const names[] = {
		"MYSQL_HOST",	  "MYSQL_PORT",	     "MYSQL_SOCKET",
		"MYSQL_USER",	  "MYSQL_PASSWORD",  "MYSQL_DB",
		"MYSQL_TLS",	  "MYSQL_TLS_CA",    "MYSQL_TLS_CERT",
		"MYSQL_TLS_KEY",  "DB_POOL",	     "DB_TIMEOUT",
		"JWT_SECRET",	  "JWT_KEYRING",     "JWT_ISSUER",
		"JWT_AUDIENCE",	  "THREADS",	     "LOG_LEVEL",
		"CORS_ORIGINS",	  "PUBLIC_URL",	     "DRAIN_SECONDS",
		"GATEHOUSE_CONF", "TRUSTED_PROXIES", "JWT_SECRET_FILE",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		if (unsetenv(names[i]) != 0)
			return -1;
	return setenv("MYSQL_USER", "gatehouse", 1);
}

static void the_defaults_are_those_of_the_manual(void **state)
{
	struct settings s;

	(void)state;
	assert_ok(settings_load(&defaults, &s, NULL));
	assert_string_equal(s.mysql_host, "localhost");
	assert_int_equal(s.mysql_port, 3306);
	assert_string_equal(s.mysql_socket, "");
	assert_string_equal(s.mysql_db, "auth");
	assert_int_equal(s.db_pool, 8);
	assert_int_equal(s.db_timeout, 5);
	assert_string_equal(s.jwt_issuer, "gatehouse");
	assert_string_equal(s.jwt_audience, "");
	assert_int_equal(s.threads, 16);
	assert_int_equal(s.drain_seconds, 30);
	assert_string_equal(s.log_level, "info");
	assert_string_equal(s.cors_origins, "");
	assert_string_equal(s.public_url, "");
	assert_string_equal(s.trusted_proxies, "");
	settings_release(&s);
}

static void assert_wrong(const char *name, const char *value)
{
	struct errmsg why = { "" };
	struct settings s;

	set(name, value);
	assert_err(settings_load(&defaults, &s, &why), ERR_CONFIG);
	assert_ptr_equal(strstr(why.text, name), why.text);
	assert_int_equal(unsetenv(name), 0);
}

static void a_value_out_of_its_range_is_named(void **state)
{
	(void)state;
	assert_wrong("MYSQL_PORT", "0");
	assert_wrong("MYSQL_PORT", "65536");
	assert_wrong("DB_POOL", "0");
	assert_wrong("DB_POOL", "257");
	assert_wrong("DB_TIMEOUT", "0");
	assert_wrong("THREADS", "0");
	assert_wrong("THREADS", "1025");
	assert_wrong("DRAIN_SECONDS", "-1");
	assert_wrong("LOG_LEVEL", "loud");
	assert_wrong("MYSQL_TLS", "yes");
	assert_wrong("TRUSTED_PROXIES", "10.0.0.0/8 proxy.example");
}

static void a_tls_file_that_would_not_be_used_or_read_is_refused(void **state)
{
	(void)state;
	assert_wrong("MYSQL_TLS_CA", "/dev/null"); /* off is the default */
	set("MYSQL_TLS", "on");
	assert_wrong("MYSQL_TLS_CA", "/dev/null");
	assert_wrong("MYSQL_TLS_CERT", "/dev/null");
	set("MYSQL_TLS", "verify");
	assert_wrong("MYSQL_TLS_CA", "/nowhere/ca.pem");
	set("MYSQL_TLS_KEY", "/dev/null");
	assert_wrong("MYSQL_TLS_CERT", "/nowhere/certificate.pem");
	set("MYSQL_TLS", "off");
	assert_wrong("MYSQL_TLS_CERT", "/dev/null");
}

static void tls_settings_reach_the_pool_and_off_is_the_default(void **state)
{
	struct settings s;
	struct db_config db;

	(void)state;
	assert_ok(settings_load(&defaults, &s, NULL));
	assert_int_equal(settings_db(&s).tls, DB_TLS_OFF);
	settings_release(&s);
	set("MYSQL_TLS", "verify");
	set("MYSQL_TLS_CA", "/dev/null");
	set("MYSQL_TLS_CERT", "/dev/zero");
	set("MYSQL_TLS_KEY", "/dev/full");
	assert_ok(settings_load(&defaults, &s, NULL));
	db = settings_db(&s);
	assert_int_equal(db.tls, DB_TLS_VERIFY);
	assert_string_equal(db.tls_ca, "/dev/null");
	assert_string_equal(db.tls_cert, "/dev/zero");
	assert_string_equal(db.tls_key, "/dev/full");
	settings_release(&s);
}

static void the_database_account_is_required(void **state)
{
	struct errmsg why = { "" };
	struct settings s;

	(void)state;
	assert_int_equal(unsetenv("MYSQL_USER"), 0);
	assert_err(settings_load(&defaults, &s, &why), ERR_CONFIG);
	assert_contains(why.text, "MYSQL_USER: missing");
}

static void keys_error(const char *word)
{
	struct errmsg why = { "" };
	struct keyring_file *k = NULL;
	struct settings s;

	assert_ok(settings_load(&defaults, &s, NULL));
	assert_err(settings_keys(&s, &k, &why), ERR_CONFIG);
	assert_contains(why.text, word);
	assert_contains(why.text, "JWT_");
	assert_lacks(why.text, SECRET);
	settings_release(&s);
}

static void keys_are_from_a_secret_or_a_keyring_and_never_from_both(
	void **state)
{
	(void)state;
	keys_error("JWT_SECRET: missing");
	set("JWT_SECRET", SECRET);
	set("JWT_KEYRING", "/nowhere");
	keys_error("both set");
	assert_int_equal(unsetenv("JWT_SECRET"), 0);
	keys_error("JWT_KEYRING: cannot open /nowhere");
}

static void a_weak_secret_is_named_and_not_shown(void **state)
{
	(void)state;
	set("JWT_SECRET", "short-but-secret");
	keys_error("JWT_SECRET: the secret is 16 bytes long");
	set("JWT_SECRET", "supersecretsupersecretsupersecret");
	keys_error("JWT_SECRET: ");
}

static void a_secret_makes_keys(void **state)
{
	struct keyring_file *k = NULL;
	const struct keyring *ring;
	struct settings s;

	(void)state;
	set("JWT_SECRET", SECRET);
	assert_ok(settings_load(&defaults, &s, NULL));
	assert_ok(settings_keys(&s, &k, NULL));
	ring = keyring_file_take(k, 1);
	assert_int_equal(ring->count, 1);
	keyring_file_give(k, ring);
	keyring_file_close(k);
	settings_release(&s);
}

static void a_tool_needs_no_secret(void **state)
{
	struct errmsg why = { "" };
	struct settings s;

	(void)state;
	set("JWT_SECRET_FILE", "/nowhere");
	set("JWT_ISSUER", "files");
	assert_err(settings_load(&defaults, &s, &why), ERR_CONFIG);
	assert_contains(why.text, "JWT_SECRET_FILE: cannot open /nowhere");
	assert_ok(settings_load_tool(&defaults, &s, NULL));
	assert_null(s.jwt_secret);
	assert_string_equal(s.jwt_issuer, "files");
	assert_string_equal(settings_db(&s).user, "gatehouse");
	settings_release(&s);
	set("THREADS", "0");
	assert_err(settings_load_tool(&defaults, &s, &why), ERR_CONFIG);
	assert_contains(why.text, "THREADS: ");
}

static void a_keyring_file_makes_keys_or_its_wrong_line_is_named(void **state)
{
	char path[] = "/tmp/test-settings.XXXXXX";
	int fd = mkstemp(path);
	struct keyring_file *k = NULL;
	const struct keyring *ring;
	struct settings s;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, KEY_LINE, sizeof(KEY_LINE) - 1),
			 sizeof(KEY_LINE) - 1);
	set("JWT_KEYRING", path);
	assert_ok(settings_load(&defaults, &s, NULL));
	assert_ok(settings_keys(&s, &k, NULL));
	ring = keyring_file_take(k, 1);
	assert_string_equal(keyring_signer(ring)->kid, "k1");
	keyring_file_give(k, ring);
	keyring_file_close(k);
	settings_release(&s);
	assert_int_equal(write(fd, "oops\n", 5), 5);
	keys_error("line 2: ");
	(void)close(fd);
	(void)unlink(path);
}

static void printed_settings_hide_the_secrets(void **state)
{
	char text[4096] = "";
	FILE *f = tmpfile();
	struct settings s;

	(void)state;
	set("JWT_SECRET", SECRET);
	set("MYSQL_PASSWORD", "p4ssw0rd");
	assert_non_null(f);
	assert_ok(settings_load(&defaults, &s, NULL));
	settings_print(&s, f);
	settings_help(&defaults, f);
	settings_release(&s);
	rewind(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	(void)fclose(f);
	assert_contains(text, "JWT_SECRET=(set)\n");
	assert_contains(text, "MYSQL_PASSWORD=(set)\n");
	assert_contains(text, "THREADS=16\n");
	assert_contains(text, "(auth)");
	assert_contains(text, "(required)");
	assert_lacks(text, SECRET);
	assert_lacks(text, "p4ssw0rd");
}

static void the_pool_gets_the_database_settings(void **state)
{
	struct db_config db;
	struct settings s;

	(void)state;
	set("MYSQL_HOST", "a,b");
	set("MYSQL_SOCKET", "/run/s");
	set("DB_POOL", "3");
	assert_ok(settings_load(&defaults, &s, NULL));
	db = settings_db(&s);
	assert_string_equal(db.host, "a,b");
	assert_string_equal(db.socket, "/run/s");
	assert_string_equal(db.user, "gatehouse");
	assert_string_equal(db.name, "auth");
	assert_int_equal(db.pool, 3);
	assert_int_equal(db.timeout, 5);
	assert_string_equal(settings_rules(&s).issuer, "gatehouse");
	settings_release(&s);
}

int main(void)
{
#define FIXTURE_TEST(name) cmocka_unit_test_setup(name, clean_environment)
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(the_defaults_are_those_of_the_manual),
		FIXTURE_TEST(a_value_out_of_its_range_is_named),
		FIXTURE_TEST(
			a_tls_file_that_would_not_be_used_or_read_is_refused),
		FIXTURE_TEST(
			tls_settings_reach_the_pool_and_off_is_the_default),
		FIXTURE_TEST(the_database_account_is_required),
		FIXTURE_TEST(
			keys_are_from_a_secret_or_a_keyring_and_never_from_both),
		FIXTURE_TEST(a_weak_secret_is_named_and_not_shown),
		FIXTURE_TEST(a_secret_makes_keys),
		FIXTURE_TEST(a_tool_needs_no_secret),
		FIXTURE_TEST(
			a_keyring_file_makes_keys_or_its_wrong_line_is_named),
		FIXTURE_TEST(printed_settings_hide_the_secrets),
		FIXTURE_TEST(the_pool_gets_the_database_settings),
	};

	if (sodium_init() < 0)
		return 1;
	return RUN(tests);
}
