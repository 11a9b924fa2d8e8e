#include "common/metrics/metrics.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 8, PROCESSES = 2, EACH = 20000, RACERS = 24, ROUNDS = 20 };

static const struct metrics_layout layout = {
	.program = "test",
	.routes = { "/login", "/files/*" },
	.route_count = 2,
};
static char folder[64], path[80];

static int lock_fails_with; /* errno; 0: it succeeds */

int __wrap_fcntl(int fd, int command, struct flock *l);
int __real_fcntl(int fd, int command, struct flock *l);
int __wrap_fcntl(int fd, int command, struct flock *l)
{
	if (lock_fails_with != 0 && command == F_SETLKW) {
		errno = lock_fails_with;
		return -1;
	}
	return __real_fcntl(fd, command, l);
}

static struct metrics *open_at(const char *where)
{
	struct metrics *m = NULL;
	struct errmsg why = { "" };

	if (metrics_open(&layout, where, &m, &why) != ERR_OK)
		fail_msg("%s", why.text);
	return m;
}

/* The value of the sample whose line begins with `start`; -1 if there is none
 */
static double value_of(const struct metrics *m, const char *start)
{
	double n = -1;
	struct buf b;
	char *line;

	buf_init(&b, METRICS_TEXT_MAX);
	metrics_write(m, &b);
	buf_add_char(&b, '\0');
	assert_ok(buf_error(&b));
	line = strstr(b.p, start);
	if (line != NULL && (line == b.p || line[-1] == '\n'))
		n = strtod(line + strlen(start), NULL);
	buf_release(&b);
	return n;
}

#define LABELS "{program=\"test\",method=\"GET\",route=\"/files/*\""
#define REQUESTS "gatehouse_http_requests_total" LABELS ",code=\"200\"} "
#define DURATION "gatehouse_http_request_duration_seconds"
#define IN_FLIGHT "gatehouse_http_requests_in_flight{program=\"test\"} "
#define PROCESSES_ "gatehouse_processes{program=\"test\"} "
#define BYTES "gatehouse_uploads_bytes_total{program=\"test\"} "

#define assert_value(m, start, want)                       \
	do {                                               \
		double got_ = value_of(m, start);          \
		if (got_ != (double)(want))                \
			fail_msg("%s is %g", start, got_); \
	} while (0)

static struct metrics_request request(int64_t us)
{
	return (struct metrics_request) { .route = 1,
					  .method = SPAN("GET"),
					  .status = 200,
					  .us = us,
					  .bytes_in = 3,
					  .bytes_out = 5 };
}

static void *count_many(void *m)
{
	const struct metrics_request r = request(300);

	for (int i = 0; i < EACH; i++) {
		metrics_begin(m);
		metrics_add(m, METRICS_UPLOADED_BYTES, 7);
		metrics_login(m, "ok");
		metrics_end(m, &r);
	}
	return NULL;
}

static void count_in_threads(struct metrics *m)
{
	pthread_t t[THREADS];

	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, count_many, m) != 0)
			abort();
	for (int i = 0; i < THREADS; i++)
		(void)pthread_join(t[i], NULL);
}

/* In a child, which must not use cmocka's asserts */
static pid_t start(void (*work)(struct metrics *m))
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct metrics *m = NULL;

		if (metrics_open(&layout, path, &m, NULL) != ERR_OK)
			_exit(1);
		work(m);
		metrics_close(m);
		_exit(0);
	}
	return pid;
}

static void assert_ended_well(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void counts_of_threads_in_several_processes_are_exact(void **state)
{
	const int all = THREADS * PROCESSES * EACH;
	struct metrics *m = open_at(path);
	pid_t pids[PROCESSES];

	(void)state;
	for (int i = 0; i < PROCESSES; i++)
		pids[i] = start(count_in_threads);
	for (int i = 0; i < PROCESSES; i++)
		assert_ended_well(pids[i]);
	assert_value(m, REQUESTS, all);
	assert_value(m, DURATION "_count" LABELS "} ", all);
	assert_value(m, DURATION "_sum" LABELS "} ", all * 3 / 10000);
	assert_value(m, BYTES, 7 * all);
	assert_value(m, "gatehouse_http_request_bytes_total" LABELS "} ",
		     3 * all);
	assert_value(m, "gatehouse_http_response_bytes_total" LABELS "} ",
		     5 * all);
	assert_value(m,
		     "gatehouse_logins_total{program=\"test\",outcome=\"ok\"} ",
		     all);
	assert_value(m, IN_FLIGHT, 0);
	metrics_close(m);
}

static void count_one(struct metrics *m)
{
	metrics_add(m, METRICS_UPLOADED_BYTES, 1);
}

static void processes_that_start_together_share_one_file(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		pid_t pids[RACERS];
		struct metrics *m;

		for (int i = 0; i < RACERS; i++)
			pids[i] = start(count_one);
		for (int i = 0; i < RACERS; i++)
			assert_ended_well(pids[i]);
		m = open_at(path);
		assert_value(m, BYTES, RACERS);
		metrics_close(m);
		assert_int_equal(unlink(path), 0);
	}
}

static void counters_outlive_their_process_and_gauges_do_not(void **state)
{
	struct metrics *m = open_at(path);

	(void)state;
	metrics_add(m, METRICS_UPLOADED_BYTES, 5);
	metrics_begin(m);
	assert_value(m, IN_FLIGHT, 1);
	metrics_close(m);
	m = open_at(path);
	assert_value(m, BYTES, 5);
	assert_value(m, IN_FLIGHT, 0);
	metrics_close(m);
}

static void hang(struct metrics *m)
{
	metrics_begin(m);
	metrics_begin(m);
	for (;;)
		(void)pause();
}

static void the_requests_under_way_of_a_killed_process_are_not_counted(
	void **state)
{
	struct metrics *m = open_at(path);
	pid_t pid = start(hang);

	(void)state;
	metrics_begin(m);
	while (value_of(m, IN_FLIGHT) != 3)
		(void)sched_yield();
	assert_value(m, PROCESSES_, 2);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_value(m, IN_FLIGHT, 1);
	assert_value(m, PROCESSES_, 1);
	metrics_close(m);
}

static void a_file_of_another_layout_is_replaced_and_its_process_keeps_it(
	void **state)
{
	struct metrics_layout other = layout;
	struct metrics *old = open_at(path), *fresh = NULL;

	(void)state;
	metrics_add(old, METRICS_UPLOADED_BYTES, 5);
	other.routes[1] = "/elsewhere";
	assert_ok(metrics_open(&other, path, &fresh, NULL));
	assert_value(fresh, BYTES, 0);
	metrics_add(old, METRICS_UPLOADED_BYTES, 1);
	assert_value(old, BYTES, 6);
	assert_value(fresh, BYTES, 0);
	metrics_close(fresh);
	metrics_close(old);
}

static void write_file(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	(void)fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void a_foreign_file_is_replaced(void **state)
{
	struct metrics *m;

	(void)state;
	write_file("gatehouse-metrics-1");
	m = open_at(path);
	assert_value(m, BYTES, 0);
	metrics_close(m);
	assert_int_equal(truncate(path, 5000), 0);
	m = open_at(path);
	assert_value(m, BYTES, 0);
	metrics_close(m);
}

static void a_file_that_cannot_be_made_is_a_wrong_setting(void **state)
{
	struct metrics *m = NULL;
	struct errmsg why;
	char link[96];

	(void)state;
	assert_err(metrics_open(&layout, "/nowhere/at/all", &m, &why),
		   ERR_CONFIG);
	assert_contains(why.text, "METRICS_FILE");
	assert_err(metrics_open(&layout, folder, &m, &why), ERR_CONFIG);
	(void)snprintf(link, sizeof(link), "%s/link", folder);
	assert_int_equal(symlink(path, link), 0);
	assert_err(metrics_open(&layout, link, &m, &why), ERR_CONFIG);
	assert_int_equal(unlink(link), 0);
	assert_null(m);
}

static void a_file_is_allocated_in_full_when_it_is_made(void **state)
{
	struct metrics *m = open_at(path);
	struct stat st;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_blocks * 512 >= st.st_size);
	assert_int_equal(st.st_mode & 0777, 0600);
	metrics_close(m);
}

static void a_disk_without_room_is_reported_as_full(void **state)
{
	struct rlimit before, small;
	struct metrics *m = NULL;
	struct errmsg why;
	enum err e;

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 100000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	e = metrics_open(&layout, path, &m, &why);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_err(e, ERR_FULL);
	m = open_at(path); /* now there is room */
	metrics_close(m);
}

static void a_file_that_cannot_be_locked_is_unavailable(void **state)
{
	struct metrics *m = NULL;
	struct errmsg why;

	(void)state;
	lock_fails_with = ENOLCK;
	assert_err(metrics_open(&layout, path, &m, &why), ERR_UNAVAILABLE);
	lock_fails_with = 0;
	assert_null(m);
	assert_contains(why.text, "cannot be locked");
	assert_contains(why.text, path);
}

static void a_check_makes_no_file(void **state)
{
	char below[96];
	struct errmsg why;

	(void)state;
	assert_ok(metrics_check("", &why));
	assert_ok(metrics_check(path, &why));
	assert_int_equal(access(path, F_OK), -1);
	(void)snprintf(below, sizeof(below), "%s/no/metrics", folder);
	assert_err(metrics_check(below, &why), ERR_CONFIG);
	assert_contains(why.text, "METRICS_FILE");
}

static void a_bucket_counts_values_up_to_its_bound(void **state)
{
	struct metrics *m = open_at("");
	struct metrics_request at = request(1000), over = request(1001),
			       long_one = request(700000000);

	(void)state;
	metrics_end(m, &at);
	metrics_end(m, &over);
	metrics_end(m, &long_one);
	assert_value(m, DURATION "_bucket" LABELS ",le=\"0.0005\"} ", 0);
	assert_value(m, DURATION "_bucket" LABELS ",le=\"0.001\"} ", 1);
	assert_value(m, DURATION "_bucket" LABELS ",le=\"0.0025\"} ", 2);
	assert_value(m, DURATION "_bucket" LABELS ",le=\"600\"} ", 2);
	assert_value(m, DURATION "_bucket" LABELS ",le=\"+Inf\"} ", 3);
	assert_value(m, DURATION "_sum" LABELS "} ", 700.002001);
	metrics_close(m);
}

static void an_unknown_label_makes_no_new_series(void **state)
{
	struct metrics *m = open_at("");
	struct metrics_request r = request(1);

	(void)state;
	r.route = METRICS_NO_ROUTE;
	r.method = SPAN("BREW");
	r.status = 404;
	metrics_end(m, &r);
	assert_value(m,
		     "gatehouse_http_requests_total{program=\"test\","
		     "method=\"other\",route=\"other\",code=\"404\"} ",
		     1);
	r.route = 2; /* after the last */
	r.method = SPAN("");
	metrics_end(m, &r);
	assert_value(m,
		     "gatehouse_http_requests_total{program=\"test\","
		     "method=\"other\",route=\"other\",code=\"404\"} ",
		     2);
	metrics_login(m, "\"} 1\nevil 7");
	assert_value(m,
		     "gatehouse_logins_total{program=\"test\","
		     "outcome=\"other\"} ",
		     1);
	metrics_close(m);
}

static void an_invalid_status_is_harmless(void **state)
{
	struct metrics *m = open_at("");
	struct metrics_request r = request(-5);

	(void)state;
	for (int status = -1000; status < 3000; status += 7) {
		r.status = status;
		metrics_end(m, &r);
	}
	r.bytes_in = r.bytes_out = -1;
	metrics_end(m, &r);
	metrics_close(m);
}

static void calls_without_metrics_count_nothing(void **state)
{
	struct metrics_request r = request(1);
	struct buf b;

	(void)state;
	metrics_begin(NULL);
	metrics_end(NULL, &r);
	metrics_add(NULL, METRICS_DB_BUSY, 1);
	metrics_move(NULL, METRICS_DB_OPEN, 1);
	metrics_login(NULL, "ok");
	metrics_refresh(NULL, "ok");
	buf_init(&b, 10);
	metrics_write(NULL, &b);
	assert_int_equal(b.len, 0);
	metrics_close(NULL);
}

static int no_file(void **state)
{
	(void)state;
	(void)unlink(path);
	return 0;
}

int main(void)
{
#define FIXTURE_TEST(name) cmocka_unit_test_setup(name, no_file)
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(counts_of_threads_in_several_processes_are_exact),
		FIXTURE_TEST(processes_that_start_together_share_one_file),
		FIXTURE_TEST(counters_outlive_their_process_and_gauges_do_not),
		FIXTURE_TEST(
			the_requests_under_way_of_a_killed_process_are_not_counted),
		FIXTURE_TEST(
			a_file_of_another_layout_is_replaced_and_its_process_keeps_it),
		FIXTURE_TEST(a_foreign_file_is_replaced),
		FIXTURE_TEST(a_file_that_cannot_be_made_is_a_wrong_setting),
		FIXTURE_TEST(a_file_is_allocated_in_full_when_it_is_made),
		FIXTURE_TEST(a_disk_without_room_is_reported_as_full),
		FIXTURE_TEST(a_file_that_cannot_be_locked_is_unavailable),
		FIXTURE_TEST(a_check_makes_no_file),
		FIXTURE_TEST(a_bucket_counts_values_up_to_its_bound),
		FIXTURE_TEST(an_unknown_label_makes_no_new_series),
		FIXTURE_TEST(an_invalid_status_is_harmless),
		FIXTURE_TEST(calls_without_metrics_count_nothing),
	};
	int failed;

	(void)snprintf(folder, sizeof(folder), "/tmp/gatehouse-metrics-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/metrics", folder);
	failed = RUN(tests);
	(void)unlink(path);
	(void)rmdir(folder);
	return failed;
}
