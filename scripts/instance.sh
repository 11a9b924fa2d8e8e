# shellcheck shell=bash
# instance.sh - functions about an instance, sourced by run, stop and admin.
#
# An instance is a state directory and the processes that were started for it. The
# directory contains all of it, readable by its owner only:
#
#   url internal-url first-user      for people and tests
#   conf/   written at every start; *.local.env belong to the owner and are kept
#   keys/   the keyring and the two database passwords
#   mysql/  my.cnf, sock, data/
#   data/   the files (DATA_DIR)     spool/  buffered request bodies
#   run/    lock, sockets            log/

# shellcheck disable=SC2034 # used by the scripts that source this
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# An ordinary user of Debian has no sbin in PATH; mariadbd and lighttpd are there.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$@"; exit 1; }
# A wrong command line
wrong() { say "$*; see --help"; exit 64; }

# check_path WHAT PATH: paths are written into three kinds of configuration file, each with
# its own quoting; a space is safe in all of them.
check_path() {
	case $2 in
	*[\"\'\\\$\`\#\;%]* | *[[:cntrl:]]*) die "$2: the path of $1 may not contain quotes, \\ \$ \` # ; % or control characters; choose another" ;;
	esac
}

# Set $state to the absolute path of a state directory, which need not exist.
instance_at() {
	state=$(realpath -m -- "$1")
	check_path 'a state directory (--state)' "$state"
	if [ -e "$state" ] && [ ! -O "$state" ]; then
		die "$state belongs to $(stat -c %U -- "$state"); run this as that user, or choose another directory with --state"
	fi
}

# Whether a supervisor (scripts/run) is running. It holds a lock, which the kernel
# releases however the process ends; the file contains its pid.
instance_runs() {
	[ -e "$state/run/lock" ] && ! flock --nonblock --shared "$state/run/lock" true
}

# instance_pids mariadbd|lighttpd|cgi-auth|cgi-gateway
# Finds processes by what they were started with: a pid file may be stale, and its
# number may belong to another process by now.
instance_pids() {
	local comm file mark pid where
	case $1 in
	mariadbd) where=cmdline mark=--defaults-file=$state/mysql/my.cnf ;;
	lighttpd) where=cmdline mark=$state/conf/lighttpd-site.conf ;;
	cgi-auth) where=environ mark=GATEHOUSE_CONF=$state/conf/auth.env ;;
	cgi-gateway) where=environ mark=GATEHOUSE_CONF=$state/conf/gateway.env ;;
	esac
	while read -r file; do
		pid=${file#/proc/} pid=${pid%/*}
		comm=$(cat "/proc/$pid/comm" 2>/dev/null) || continue
		[ "$comm" != "$1" ] || printf '%s\n' "$pid"
	done < <(grep -lszxF -f <(printf '%s\n' "$mark") /proc/[0-9]*/"$where")
}

# The pids of all processes of the instance.
instance_processes() {
	local name
	for name in lighttpd cgi-auth cgi-gateway mariadbd; do
		instance_pids "$name"
	done
}

# instance_end NAME SIGNAL SECONDS: signal every process of that name, and KILL those
# that are left after SECONDS (or as soon as $hurry is set).
instance_end() {
	local pids deadline=$((SECONDS + $3))
	pids=$(instance_pids "$1")
	[ -n "$pids" ] || return 0
	# shellcheck disable=SC2086 # one word a pid
	[ "$2" = 0 ] || kill -s "$2" $pids 2>/dev/null || true
	while pids=$(instance_pids "$1"); [ -n "$pids" ]; do
		if [ "$SECONDS" -ge "$deadline" ] || [ -n "${hurry:-}" ]; then
			# shellcheck disable=SC2086
			kill -s KILL $pids 2>/dev/null || true
		fi
		sleep 0.05
	done
}

# Stop all processes of this instance, in the order in which no request is left
# waiting: accept no new requests, finish those in progress, then stop what they need.
instance_end_all() {
	local drain=${1:-30}
	# After INT lighttpd finishes its requests, and then stops the programs itself.
	instance_end lighttpd INT $((drain + 5))
	instance_end cgi-auth TERM $((drain + 5))
	instance_end cgi-gateway TERM $((drain + 5))
	instance_end mariadbd TERM 60
}
