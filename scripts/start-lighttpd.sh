# shellcheck shell=bash disable=SC2154,SC2034
# start-lighttpd.sh - write the configuration of an instance, create its first user, start
# lighttpd and the programs. Sourced by run.
#
# Needs $state, $build, $transport, $spawned and $program_port, and give_up and go_on of run. As
# in start-mariadb.sh, servers get sessions of their own, and do not inherit the lock of run.

# write_env NAME: write the configuration of a program, from standard input; a setting in
# the owner's NAME.local.env replaces ours of the same name.
write_env() {
	local own=$state/conf/$1.local.env line
	[ -e "$own" ] || printf '# Your own settings, one NAME=value a line; scripts/run reads them at its start.\n' >"$own"
	{
		printf '# Made by scripts/run at every start; your own go into %s.\n' "${own##*/}"
		while IFS= read -r line; do
			grep -q "^${line%%=*}=" "$own" || printf '%s\n' "$line"
		done
		grep -v '^#' "$own" || true
	} >"$state/conf/$1.env"
}

# write_configuration TRANSPORT
write_configuration() {
	# Plain CGI is for shared hosting, where the server does not send files for a program.
	local sendfile=x-sendfile
	[ "$1" != cgi ] || sendfile=none
	write_env auth <<-ENV
		MYSQL_SOCKET=$state/mysql/sock
		MYSQL_USER=gatehouse_auth
		MYSQL_PASSWORD=$(<"$state/keys/mysql-auth")
		MYSQL_DB=auth
		JWT_KEYRING=$state/keys/keyring
		METRICS_FILE=$state/run/cgi-auth.metrics
		CHANGES_DIR=$state/run
	ENV
	write_env gateway <<-ENV
		MYSQL_SOCKET=$state/mysql/sock
		MYSQL_USER=gatehouse_gateway
		MYSQL_PASSWORD=$(<"$state/keys/mysql-gateway")
		MYSQL_DB=gateway
		JWT_KEYRING=$state/keys/keyring
		METRICS_FILE=$state/run/cgi-gateway.metrics
		CHANGES_DIR=$state/run
		DATA_DIR=$state/data
		SENDFILE=$sendfile
	ENV
}

# setting NAME DEFAULT: its value for the gateway, which uses the first line of a name.
setting() {
	local line
	line=$(grep -m 1 "^$1=" "$state/conf/gateway.env") || line=$1=$2
	printf '%s' "${line#*=}"
}

# The programs check their settings themselves, and print what is wrong.
check_configuration() {
	GATEHOUSE_CONF=$state/conf/auth.env "$build/cgi-auth" --check >/dev/null 9>&- ||
		give_up "cgi-auth does not accept $state/conf/auth.env"
	GATEHOUSE_CONF=$state/conf/gateway.env "$build/cgi-gateway" --check >/dev/null 9>&- ||
		give_up "cgi-gateway does not accept $state/conf/gateway.env"
}

make_keyring() {
	# The owner may have set JWT_SECRET, or another keyring
	grep -qxF "JWT_KEYRING=$state/keys/keyring" "$state/conf/auth.env" || return 0
	[ ! -s "$state/keys/keyring" ] || return 0
	auth_admin key new >/dev/null || give_up "no signing key could be made"
}

auth_admin() { GATEHOUSE_CONF=$state/conf/auth.env "$build/auth-admin" "$@" 9>&-; }

# Write the password to disk before creating the user: if this is interrupted, the next
# start reads it and sets it again.
make_first_user() {
	local email password log=$state/log/first-user.log
	[ ! -s "$state/first-user" ] || return 0
	say "creating a first user"
	[ -s "$state/first-user.new" ] ||
		printf '%s\n%s\n' me@example.com "$(random_word 20)" >"$state/first-user.new"
	{ read -r email; read -r password; } <"$state/first-user.new"
	auth_admin user add "$email" --password-stdin <<<"$password" >/dev/null 2>"$log" ||
		auth_admin user passwd "$email" --password-stdin <<<"$password" >/dev/null 2>&1 ||
		give_up "the first user could not be created" "$log"
	mv "$state/first-user.new" "$state/first-user"
	rm -f "$log"
}

# spawn_program NAME: start it by spawn-fcgi, as a service manager does.
spawn_program() {
	local conf=auth place=(-s "$state/run/$1.sock" -M 0600)
	[ "$1" = cgi-auth ] || conf=gateway
	[ "$transport" != tcp ] || place=(-a 127.0.0.1 -p "${program_port[$1]}")
	rm -f "$state/run/$1.sock"
	GATEHOUSE_CONF=$state/conf/$conf.env setsid spawn-fcgi -n "${place[@]}" -b 1024 \
		-- "$build/$1" 9>&- </dev/null >>"$state/log/programs.log" 2>&1 &
	spawned[$!]=$1
}

port_is_taken() {
	grep -qsE "^ *[0-9]+: [0-9A-F]+:$(printf '%04X' "$1") [0-9A-F]+:0000 0A " /proc/net/tcp /proc/net/tcp6
}
port_taken() { printf 'port %s is taken by another program; choose one with --port N, or --port 0 for any' "$1"; }

# Below the ports that the kernel uses for outgoing connections (from 32768 on).
free_port() {
	local candidate
	while candidate=$((20000 + RANDOM % 12000)); do
		port_is_taken "$candidate" || break
	done
	printf '%s' "$candidate"
}

# write_site PUBLIC-PORT INTERNAL-PORT
write_site() {
	local fds max_upload programs=$build
	# lighttpd cuts the command of a FastCGI program at spaces. It runs in $build.
	case $transport,$build in
	fastcgi,*[[:space:]]*) programs=. ;;
	esac
	fds=$(ulimit -Hn)
	if [ "$fds" = unlimited ] || [ "$fds" -gt 16384 ]; then
		fds=16384
	fi
	max_upload=$(setting MAX_UPLOAD 107374182400)
	cat >"$state/conf/lighttpd-site.conf" <<-SITE
		# Made by scripts/run at every start; lighttpd/site.conf.example explains the lines
		var.gatehouse.lighttpd = "$root/lighttpd"
		var.gatehouse.programs = "$transport"
		var.gatehouse.listen   = "http"
		var.gatehouse.bind     = "127.0.0.1"
		var.gatehouse.port     = $1
		var.gatehouse.internal = "127.0.0.1:$2"
		var.gatehouse.build    = "$programs"
		var.gatehouse.conf     = "$state/conf"
		var.gatehouse.data     = "$(setting DATA_DIR "$state/data")"
		var.gatehouse.spool    = "$state/spool"
		var.gatehouse.run      = "$state/run"
		var.gatehouse.log      = "$state/log"
		var.gatehouse.www      = "$root/lighttpd/www"
		var.gatehouse.max_body = $(((max_upload + 1023) / 1024 + 1024))
		var.gatehouse.max_fds  = $fds
		var.gatehouse.drain    = $drain
		var.gatehouse.auth_host    = "127.0.0.1"
		var.gatehouse.auth_port    = ${program_port[cgi-auth]:-0}
		var.gatehouse.gateway_host = "127.0.0.1"
		var.gatehouse.gateway_port = ${program_port[cgi-gateway]:-0}
		include var.gatehouse.lighttpd + "/gatehouse.conf"
	SITE
	[ ! -e "$state/conf/lighttpd.local.conf" ] ||
		printf 'include "%s"\n' "$state/conf/lighttpd.local.conf" >>"$state/conf/lighttpd-site.conf"
}

# try_lighttpd PUBLIC-PORT INTERNAL-PORT: returns 0 once it answers, 1 if it exits.
# Sets $lighttpd to its pid.
try_lighttpd() {
	write_site "$1" "$2"
	(cd "$build" && exec setsid lighttpd -D -f "$state/conf/lighttpd-site.conf") 9>&- </dev/null >"$state/log/lighttpd-start.log" 2>&1 &
	lighttpd=$!
	# Any response will do here, also 503.
	until curl -s -o /dev/null --max-time 5 "http://127.0.0.1:$2/cgi-auth/healthz"; do
		kill -0 "$lighttpd" 2>/dev/null || return 1
		go_on
		sleep 0.05
	done
}

# start_lighttpd PORT (0: any). Sets $public_port and $internal_port.
start_lighttpd() {
	public_port=$1
	for _ in 1 2 3 4 5; do
		[ "$1" != 0 ] || public_port=$(free_port)
		if [ "$1" != 0 ] && port_is_taken "$1"; then
			give_up "$(port_taken "$1")"
		fi
		internal_port=$(free_port)
		try_lighttpd "$public_port" "$internal_port" && return 0
		# Another program may have taken a port in the meantime.
		grep -q 'Address already in use' "$state/log/lighttpd-start.log" || break
	done
	# It writes to standard error until it has read its configuration.
	cat "$state/log/lighttpd-start.log" >&2
	give_up "lighttpd did not start; see $state/log"
}

wait_until_ready() {
	local program answer i
	for program in cgi-auth cgi-gateway; do
		for ((i = 0; ; i++)); do
			answer=$(curl -s --max-time 10 -w '%{http_code}' "http://127.0.0.1:$internal_port/$program/readyz" || true)
			[ "${answer: -3}" != 200 ] || break
			go_on
			[ "$i" -lt 100 ] || give_up "$program is not ready: ${answer%???}" "$state/log/programs.log"
			sleep 0.1
		done
	done
}
