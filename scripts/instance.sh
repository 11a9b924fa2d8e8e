# shellcheck shell=bash
# instance.sh - what run, stop and admin know about an instance. Sourced by them.
#
# An instance is a state directory and the processes that were started for it.
# Everything of it lies there, readable by its owner alone:
#
#   url internal-url first-user      what a person or a test wants to know
#   conf/   made anew at every start; *.local.env are the owner's and are kept
#   keys/   the keyring and the two database passwords
#   mysql/  my.cnf, sock, data/
#   data/   the files (DATA_DIR)     spool/  bodies on their way in
#   run/    lock, sockets            log/

# shellcheck disable=SC2034 # used by those who source this
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$@"; exit 1; }

# Set $state to the absolute path of a state directory, which need not exist.
instance_at() {
	state=$(realpath -m -- "$1")
	# It is written into three kinds of configuration file, each with its own
	# quoting; none of them minds a space.
	case $state in
	*[\"\'\\\$\`\#\;%]* | *[[:cntrl:]]*) die "$state: the path of a state directory may not hold quotes, \\ \$ \` # ; % or control characters" ;;
	esac
	if [ -e "$state" ] && [ ! -O "$state" ]; then
		die "$state belongs to $(stat -c %U -- "$state"), who alone can run it"
	fi
}

# Whether a supervisor (scripts/run) is alive. It holds a lock, which the kernel
# drops however it ends; its pid stands in the same file.
instance_runs() {
	[ -e "$state/run/lock" ] && ! flock --nonblock --shared "$state/run/lock" true
}

# instance_pids mariadbd|lighttpd|cgi-auth|cgi-gateway
# Known by what they were started with: a pid file may be stale, and its number
# may meanwhile be someone else's process.
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

# instance_end NAME SIGNAL SECONDS: signal every process of that name, and KILL
# what is left after so long (at once, when $hurry is set meanwhile).
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

# End whatever runs for this instance, in the order in which nobody is left
# waiting: no new requests, requests under way, then what they need.
instance_end_all() {
	local drain=${1:-30}
	# INT lets requests finish; then lighttpd itself tells the programs to end.
	instance_end lighttpd INT $((drain + 5))
	instance_end cgi-auth TERM $((drain + 5))
	instance_end cgi-gateway TERM $((drain + 5))
	instance_end mariadbd TERM 60
}
