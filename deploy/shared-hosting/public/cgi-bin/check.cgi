#!/bin/sh
# check.cgi - check this host for problems, and create the first user.
#
# The URL needs the word in gatehouse/conf/check-secret:
#     https://files.example.org/cgi-bin/check.cgi?WORD
# It removes itself on request. Remove it as soon as all checks pass.
case $0 in */*) cd "${0%/*}" || exit 1 ;; esac
self=$PWD/check.cgi
private=$(cd ../../gatehouse 2>/dev/null && pwd)
secret=$(cat "$private/conf/check-secret" 2>/dev/null)
asked=${QUERY_STRING%%&*}

# answer STATUS TYPE: print a header that forbids caching, framing and the Referer.
answer() {
	printf 'Status: %s\r\nContent-Type: %s\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n' "$1" "$2"
	printf "Content-Security-Policy: default-src 'none'; script-src 'nonce-%s'; style-src 'nonce-%s'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'\r\n\r\n" "$nonce" "$nonce"
}
nonce=$(od -An -N16 -tx1 /dev/urandom 2>/dev/null | tr -d ' \n')

# A short word could be guessed. Without the file there is no word.
if [ "${#secret}" -lt 32 ] || [ "$asked" != "$secret" ]; then
	answer '404 Not Found' text/plain
	echo 'Nothing here.'
	exit 0
fi

escape() { sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g; s/"/\&quot;/g'; }
bad=0
good() { printf '<li class="good">%s</li>\n' "$(printf '%s' "$1" | escape)"; }
wrong() {
	bad=$((bad + 1))
	printf '<li class="bad">%s' "$(printf '%s' "$1" | escape)"
	[ -z "${2:-}" ] || printf '<pre>%s</pre>' "$(printf '%s' "$2" | tail -c 2000 | escape)"
	printf '</li>\n'
}

# --- the checks ---------------------------------------------------------------

check_place() {
	root=$(cd "${DOCUMENT_ROOT:-/nowhere}" 2>/dev/null && pwd)
	case $private/ in
	"${root:-/nowhere}"/*) wrong "The folder gatehouse is in the web root ($root), where browsers may read its passwords and files. Move it beside the web root, not into it." ;;
	*) good "The folder gatehouse is outside the web root." ;;
	esac
	case ${HTTPS:-}${REQUEST_SCHEME:-} in
	on* | 1* | *https) good "This page was loaded by https." ;;
	*) wrong "This page was loaded without TLS: others could read passwords in transit. Enable a certificate in the control panel, and open this page by https." ;;
	esac
}

# open_to_others FILE: whether other users of the machine may read or write it
open_to_others() { [ -n "$(find "$1" -prune \( -perm -004 -o -perm -002 \) 2>/dev/null)" ]; }

check_permissions() {
	fine=yes
	for program in cgi-auth cgi-gateway auth-admin gateway-admin; do
		[ -x "$private/bin/$program" ] && continue
		fine='' && wrong "gatehouse/bin/$program is missing or not executable. Upload it again in binary mode and set its permissions to 700."
	done
	for file in gatehouse.env keyring check-secret; do
		if [ ! -r "$private/conf/$file" ]; then
			fine='' && wrong "gatehouse/conf/$file is missing, or the programs, which run as the user $(id -un 2>/dev/null || id -u), may not read it. Upload it again, and make it readable for that user."
		elif open_to_others "$private/conf/$file" && open_to_others "$private/conf" && open_to_others "$private"; then
			fine='' && wrong "gatehouse/conf/$file can be read by other customers of this machine. Set the permissions of the folder gatehouse to 700."
		fi
	done
	if ! mkdir -p "$private/data" 2>/dev/null || [ ! -w "$private/data" ]; then
		fine='' && wrong "The user $(id -un 2>/dev/null || id -u) cannot write to gatehouse/data. Create the folder, and set its permissions to 700."
	fi
	[ -z "$fine" ] || good "The permissions of the folder gatehouse are right."
}

# check_program PROGRAM: does it run, and are its settings valid?
check_program() {
	if said=$("$private/start" "$1" --check 2>&1 >/dev/null); then
		good "$1 runs, and its settings are valid."
		return 0
	fi
	case $said in
	*'error while loading shared libraries'*) wrong "A library of $1 is missing. Upload the whole folder gatehouse/lib again." "$said" ;;
	*GLIBC* | *'Exec format error'* | *'cannot execute'*) wrong "$1 was built for a newer system than this host, or for another one. Build it on a system as old as the host, with the same processor type ($(uname -m))." "$said" ;;
	*) wrong "$1 does not start with these settings. Correct gatehouse/conf/gatehouse.env." "$said" ;;
	esac
	return 1
}

# check_ready PROGRAM: can it serve requests? Sends one as a web server would.
check_ready() {
	said=$(env -i PATH="$PATH" GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=GET SERVER_PROTOCOL=HTTP/1.1 \
		SCRIPT_NAME="/$1" PATH_INFO=/readyz "$private/start" "$1" 2>&1 </dev/null)
	case $said in
	*'"ready"'*) good "$1 reaches the database${2:-}." ;;
	*"no TLS connection"*) wrong "The database cannot be reached by TLS. Compare MYSQL_TLS and MYSQL_TLS_CA in gatehouse/conf/gatehouse.env with the control panel." "$said" ;;
	*"Access denied"*) wrong "The database refuses the account. Compare MYSQL_USER, MYSQL_PASSWORD and MYSQL_DB in gatehouse/conf/gatehouse.env with the control panel, and set MYSQL_TLS=on if the server demands TLS." "$said" ;;
	*) wrong "$1 cannot serve requests. Check that the database is reachable (MYSQL_HOST), and that gatehouse/data is writable." "$said" ;;
	esac
}

# Sets $users to the number of users, or to nothing if the tables cannot be read.
check_tables() {
	if said=$("$private/start" auth-admin user list --json 2>&1); then
		users=$(printf '%s' "$said" | grep -o '"email"' | wc -l)
		good "The tables exist."
	else
		users=''
		wrong "The tables of the database cannot be read. Import schema.sql, for instance with phpMyAdmin." "$said"
	fi
}

# --- the pages ----------------------------------------------------------------

begin_page() {
	answer '200 OK' 'text/html; charset=utf-8'
	cat <<-HTML
		<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
		<title>Gatehouse: check</title>
		<style nonce="$nonce">
		body { font: 16px/1.5 sans-serif; max-width: 46em; margin: 2em auto; padding: 0 1em; color: #222; background: #fff }
		li { margin: .5em 0 } .good::before { content: "fine: "; color: #05692d; font-weight: bold }
		.bad::before { content: "wrong: "; color: #a30f0f; font-weight: bold } pre { white-space: pre-wrap; background: #eee; padding: .5em }
		label { display: block; margin: .5em 0 }
		</style><h1>Gatehouse on this host</h1>
	HTML
}

# What only a browser can check: whether requests reach the programs, and up to which
# size. /me and /upload answer 401 to an invalid token.
browser_checks() {
	cat <<-HTML
		<ul id="seen"></ul><noscript><p>Enable JavaScript: the browser makes some of the checks.</p></noscript>
		<script nonce="$nonce">
		const say = (fine, text) => {
			const item = document.createElement('li');
			item.className = fine ? 'good' : 'bad';
			item.textContent = text;
			document.getElementById('seen').append(item);
		};
		const ask = (path, options) => fetch(path, { cache: 'no-store', credentials: 'omit', ...options }).catch(() => undefined);
		const token = { Authorization: 'Bearer x.y.z' };
		const me = await_me();
		async function await_me() {
			const answer = await ask('/me', { headers: token });
			const challenge = answer?.headers.get('WWW-Authenticate') ?? '';
			if (answer?.status !== 401) return say(false, 'The path /me does not reach the program (' + (answer?.status ?? 'no answer') + '). Check that .htaccess is in the web root, that the host allows it, and that mod_rewrite is loaded.');
			if (!challenge.includes('invalid_token')) return say(false, 'The Authorization header does not reach the programs, so no login can work. The host must allow mod_rewrite to set it (see .htaccess), or CGIPassAuth.');
			say(true, 'Requests and their Authorization header reach the programs.');
			const off = Math.round(Math.abs(Date.parse(answer.headers.get('Date')) - Date.now()) / 1000);
			say(off <= 30, off <= 30 ? 'The clock of the host agrees with that of this computer.' : 'The clocks of the host and of this computer are ' + off + ' seconds apart. One-time codes fail until they agree.');
			let most = 0, stopped;
			for (const mib of [0.25, 1, 16, 64]) {
				const sent = await ask('/upload?name=x', { method: 'POST', headers: { ...token, 'Content-Type': 'application/octet-stream' }, body: new Blob([new Uint8Array(mib * 1048576)]) });
				stopped = sent?.status;
				if (stopped !== 401) break;
				most = mib;
			}
			say(most >= 64, most >= 64 ? 'Request bodies of 64 MiB reach the programs.' : 'Request bodies of more than ' + most + ' MiB do not reach the programs (' + (stopped ?? 'no answer') + '). With mod_fcgid, ask the host for a higher FcgidMaxRequestLen or use plain CGI; otherwise ask for a higher LimitRequestBody.');
		}
		me.then(() => document.getElementById('seen').dataset.done = 'yes');
		</script>
	HTML
}

user_form() {
	cat <<-HTML
		<h2>The first user</h2>
		<form method="post" enctype="text/plain" action="?$secret&amp;user">
		<label>Email <input name="email" type="email" required autocomplete="username"></label>
		<label>Password, 8 characters or more <input name="password" type="password" minlength="8" required autocomplete="new-password"></label>
		<button>Create this user</button></form>
	HTML
}

remove_form() {
	cat <<-HTML
		<h2>Done?</h2><form method="post" enctype="text/plain" action="?$secret&amp;remove">
		<p>This page shows information that others should not see. Remove it as soon as all checks pass.</p>
		<input type="hidden" name="sure" value="yes"><button>Remove this page</button></form>
	HTML
}

show_checks() {
	users=''
	begin_page
	echo '<ul id="here">'
	if [ -z "$private" ]; then
		wrong "The folder gatehouse is not beside the web root."
	else
		check_place
		check_permissions
		check_program cgi-auth && check_ready cgi-auth
		check_program cgi-gateway && check_ready cgi-gateway ' and the folder of the files'
		check_tables
	fi
	echo '</ul>'
	browser_checks
	case $users in
	'') ;;
	0) user_form ;;
	*) echo '<p>There are users already: log in at <a href="/">the page</a>.</p>' ;;
	esac
	remove_form
}

# The lines "email=..." and "password=..." of a form of the type text/plain.
field() { printf '%s\n' "$body" | tr -d '\r' | sed -n "s/^$1=//p" | head -n 1; }

make_user() {
	body=$(head -c 4096)
	email=$(field email)
	begin_page
	found=$("$private/start" auth-admin user list --json 2>/dev/null | grep -c '"email"')
	if [ "$found" -gt 0 ]; then
		echo '<ul id="here">' && wrong "There is a user already. This page creates the first one only." && echo '</ul>'
	elif [ "${email#-}" = "$email" ] && said=$(printf '%s\n' "$(field password)" | "$private/start" auth-admin user add "$email" --password-stdin 2>&1 >/dev/null); then
		echo '<ul id="here">' && good "The user $email was created." && echo '</ul>'
	else
		echo '<ul id="here">' && wrong "The user could not be created." "$said" && echo '</ul>'
	fi
	printf '<p><a href="?%s">Back to the checks</a></p>' "$secret"
	remove_form
}

remove_page() {
	# With an unread body, mod_cgid would lose the response
	cat >/dev/null
	begin_page
	if rm -f "$self" "$private/conf/check-secret" && [ ! -e "$self" ] && [ ! -e "$private/conf/check-secret" ]; then
		echo '<ul id="here">' && good "This page was removed." && echo '</ul><p><a href="/">Go to the page of Gatehouse</a></p>'
	else
		echo '<ul id="here">' && wrong "This page could not remove itself. Delete cgi-bin/check.cgi and gatehouse/conf/check-secret by SFTP." && echo '</ul>'
	fi
}

case $REQUEST_METHOD${QUERY_STRING#"$asked"} in
'POST&user') make_user ;;
'POST&remove') remove_page ;;
*) show_checks ;;
esac
