# shellcheck shell=bash disable=SC2154
# start-mariadb.sh - start the private database of an instance. Sourced by run.
#
# Needs $state, and give_up and go_on of run. Servers are children in sessions of
# their own: a Ctrl-C in the terminal reaches run only, which stops them in order.
# File descriptor 9 is the lock of run; no server may inherit it.

# Start it, make its data directory on the first start, and return when it answers.
# Sets $mariadb to its pid.
start_mariadb() {
	local as_root=()
	[ "$(id -u)" -ne 0 ] || as_root=(--user=root)
	write_my_cnf
	[ -d "$state/mysql/data" ] || make_data_directory
	go_on
	setsid mariadbd --defaults-file="$state/mysql/my.cnf" "${as_root[@]}" \
		9>&- </dev/null >>"$state/log/mariadb.log" 2>&1 &
	mariadb=$!
	until mariadb --no-defaults --socket="$state/mysql/sock" --user=root -e 'SELECT 1' >/dev/null 2>&1; do
		kill -0 "$mariadb" 2>/dev/null || give_up "MariaDB exited during its start" "$state/log/mariadb.log"
		go_on
		sleep 0.05
	done
}

write_my_cnf() {
	cat >"$state/mysql/my.cnf" <<-CNF
	# Made by scripts/run at every start.
	[mysqld]
	datadir=$state/mysql/data
	socket=$state/mysql/sock
	pid-file=$state/mysql/pid
	tmpdir=$state/mysql/tmp
	log-error=$state/log/mariadb.log
	# Only reachable by its socket, which is in a directory of mode 0700.
	skip-networking
	skip-log-bin
	# A commit is synced to disk before it is confirmed.
	innodb_flush_log_at_trx_commit=1
	innodb_doublewrite=1
	# Small, as the tables are.
	performance_schema=OFF
	innodb_buffer_pool_size=32M
	innodb_log_file_size=16M
	innodb_log_buffer_size=2M
	key_buffer_size=64K
	aria_pagecache_buffer_size=1M
	query_cache_size=0
	table_open_cache=64
	thread_cache_size=16
	# Plain CGI opens one connection for each request in progress.
	max_connections=150
	CNF
}

# Called by start_mariadb, with its $as_root. Created under another name and renamed, so
# that an interrupted first start leaves no partial data directory. By a relative path,
# because mariadb-install-db cannot handle spaces in an absolute one. --force: the name of
# this machine, and even localhost, need not have an address.
make_data_directory() {
	local log=$state/log/mariadb-install.log
	rm -rf "$state/mysql/data.new"
	(
		cd "$state/mysql"
		# Not /tmp, where other starting servers remove temporary tables
		TMPDIR=$state/mysql/tmp exec setsid --wait mariadb-install-db --no-defaults "${as_root[@]}" --datadir=./data.new \
			--force --skip-name-resolve --skip-test-db --auth-root-authentication-method=normal \
			--innodb-log-file-size=16M --innodb-flush-log-at-trx-commit=0
	) 9>&- >"$log" 2>&1 || give_up "MariaDB could not make its data directory" "$log"
	sync -f "$state/mysql/data.new"
	mv "$state/mysql/data.new" "$state/mysql/data"
}

# random_word N: N characters that need no quoting anywhere (5 bits each).
random_word() { LC_ALL=C tr -dc 'a-z2-7' </dev/urandom 2>/dev/null | head -c "$1" || true; }

make_passwords() {
	local name
	for name in mysql-auth mysql-gateway; do
		[ -s "$state/keys/$name" ] || random_word 40 >"$state/keys/$name"
	done
}
