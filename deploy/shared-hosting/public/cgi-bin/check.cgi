#!/bin/sh
# check.cgi - what is wrong with this host, in plain words; and the first user.
#
# Only who knows the word in gatehouse/conf/check-secret sees anything:
#     https://files.example.org/cgi-bin/check.cgi?WORD
# It removes itself when asked to, and should be asked as soon as all is well.
case $0 in */*) cd "${0%/*}" || exit 1 ;; esac
self=$PWD/check.cgi
private=$(cd ../../gatehouse 2>/dev/null && pwd)
secret=$(cat "$private/conf/check-secret" 2>/dev/null)
asked=${QUERY_STRING%%&*}

# answer STATUS: nobody keeps it, nobody frames it, and no address of it goes elsewhere.
answer() {
	printf 'Status: %s\r\nContent-Type: %s\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n' "$1" "$2"
	printf "Content-Security-Policy: default-src 'none'; script-src 'nonce-%s'; style-src 'nonce-%s'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'\r\n\r\n" "$nonce" "$nonce"
}
nonce=$(od -An -N16 -tx1 /dev/urandom 2>/dev/null | tr -d ' \n')

# Short words would be guessed; without a file there is no word at all.
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
	"${root:-/nowhere}"/*) wrong "The folder gatehouse lies in the web root ($root), where browsers may get at its passwords and files. Move it beside the web root, not into it." ;;
	*) good "The folder gatehouse lies outside the web root." ;;
	esac
	case ${HTTPS:-}${REQUEST_SCHEME:-} in
	on* | 1* | *https) good "This page came by https." ;;
	*) wrong "This page came without TLS: passwords would be readable on their way. Switch on a certificate in the control panel, and open this page by https." ;;
	esac
}

# open_to_others FILE: whether anybody of the machine may read it
open_to_others() { [ -n "$(find "$1" -prune \( -perm -004 -o -perm -002 \) 2>/dev/null)" ]; }

check_permissions() {
	fine=yes
	for program in cgi-auth cgi-gateway auth-admin gateway-admin; do
		[ -x "$private/bin/$program" ] && continue
		fine='' && wrong "gatehouse/bin/$program is missing, or may not be run. Upload it again in binary mode and give it the permissions 700."
	done
	for file in gatehouse.env keyring check-secret; do
		if [ ! -r "$private/conf/$file" ]; then
			fine='' && wrong "gatehouse/conf/$file is missing, or the programs may not read it. They run as the user $(id -un 2>/dev/null || id -u)."
		elif open_to_others "$private/conf/$file" && open_to_others "$private/conf" && open_to_others "$private"; then
			fine='' && wrong "gatehouse/conf/$file can be read by other customers of this machine. Give the folder gatehouse the permissions 700."
		fi
	done
	if ! mkdir -p "$private/data" 2>/dev/null || [ ! -w "$private/data" ]; then
		fine='' && wrong "gatehouse/data cannot be written to by the user $(id -un 2>/dev/null || id -u). Make the folder, and give it the permissions 700."
	fi
	[ -z "$fine" ] || good "The permissions of the folder gatehouse are right."
}

# Whether PROGRAM runs at all and likes its settings
check_program() {
	if said=$("$private/start" "$1" --check 2>&1 >/dev/null); then
		good "$1 runs, and its settings make sense."
		return 0
	fi
	case $said in
	*'error while loading shared libraries'*) wrong "$1 lacks a library. Upload gatehouse/lib again, all of it." "$said" ;;
	*GLIBC* | *'Exec format error'* | *'cannot execute'*) wrong "$1 was built for a newer or another system than this host's. Build on a system as old as the host's, and of its kind ($(uname -m))." "$said" ;;
	*) wrong "$1 does not start with these settings: see gatehouse/conf/gatehouse.env." "$said" ;;
	esac
	return 1
}

# Whether PROGRAM is able to serve: asked as a web server would.
check_ready() {
	said=$(env -i PATH="$PATH" GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=GET SERVER_PROTOCOL=HTTP/1.1 \
		SCRIPT_NAME="/$1" PATH_INFO=/readyz "$private/start" "$1" 2>&1 </dev/null)
	case $said in
	*'"ready"'*) good "$1 reaches the database${2:-}." ;;
	*"Access denied"*) wrong "The database refuses the account: compare MYSQL_USER, MYSQL_PASSWORD and MYSQL_DB in gatehouse/conf/gatehouse.env with the control panel." "$said" ;;
	*) wrong "$1 cannot serve: is the database there (MYSQL_HOST), and can gatehouse/data be written to?" "$said" ;;
	esac
}

# Sets $users, or the tables are not there.
check_tables() {
	if said=$("$private/start" auth-admin user list --json 2>&1); then
		users=$(printf '%s' "$said" | grep -o '"email"' | wc -l)
		good "The tables are there."
	else
		users=''
		wrong "The tables of the database cannot be read. Import schema.sql into it, with phpMyAdmin for instance." "$said"
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

# What only a browser can find out: whether requests get through, and how long ones.
# 401 is what /me and /upload say to a token that is no token.
browser_checks() {
	cat <<-HTML
		<ul id="seen"></ul><noscript><p>Switch on JavaScript: some of the checks are made by the browser.</p></noscript>
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
			if (answer?.status !== 401) return say(false, 'The address /me does not lead to the program (' + (answer?.status ?? 'no answer') + '): is .htaccess in the web root, does the host allow it, and is mod_rewrite there?');
			if (!challenge.includes('invalid_token')) return say(false, 'The Authorization header does not reach the programs, so nobody could log in. The host must allow mod_rewrite to set it (see .htaccess), or CGIPassAuth.');
			say(true, 'Addresses lead to the programs, and the Authorization header reaches them.');
			const off = Math.round(Math.abs(Date.parse(answer.headers.get('Date')) - Date.now()) / 1000);
			say(off <= 30, off <= 30 ? 'The clock of the host agrees with yours.' : 'The clocks of the host and of this computer are ' + off + ' seconds apart: one-time codes will fail while they are.');
			let most = 0, stopped;
			for (const mib of [0.25, 1, 16, 64]) {
				const sent = await ask('/upload?name=x', { method: 'POST', headers: { ...token, 'Content-Type': 'application/octet-stream' }, body: new Blob([new Uint8Array(mib * 1048576)]) });
				stopped = sent?.status;
				if (stopped !== 401) break;
				most = mib;
			}
			say(most >= 64, most >= 64 ? 'Bodies of 64 MiB get through.' : 'Bodies of more than ' + most + ' MiB do not get through (' + (stopped ?? 'no answer') + '). Under mod_fcgid ask the host for a higher FcgidMaxRequestLen, or use plain CGI; else for a higher LimitRequestBody.');
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
		<button>Make this user</button></form>
	HTML
}

remove_form() {
	cat <<-HTML
		<h2>Done?</h2><form method="post" enctype="text/plain" action="?$secret&amp;remove">
		<p>This page shows what others should not see. Remove it as soon as all is well.</p>
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
	*) echo '<p>There are users: log in at <a href="/">the page</a>.</p>' ;;
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
		echo '<ul id="here">' && wrong "There is a user already. This page makes only the first one." && echo '</ul>'
	elif [ "${email#-}" = "$email" ] && said=$(printf '%s\n' "$(field password)" | "$private/start" auth-admin user add "$email" --password-stdin 2>&1 >/dev/null); then
		echo '<ul id="here">' && good "The user $email was made." && echo '</ul>'
	else
		echo '<ul id="here">' && wrong "The user could not be made." "$said" && echo '</ul>'
	fi
	printf '<p><a href="?%s">Back to the checks</a></p>' "$secret"
	remove_form
}

remove_page() {
	# Left unread, it would take the answer with it under mod_cgid
	cat >/dev/null
	begin_page
	if rm -f "$self" "$private/conf/check-secret" && [ ! -e "$self" ] && [ ! -e "$private/conf/check-secret" ]; then
		echo '<ul id="here">' && good "This page is gone." && echo '</ul><p><a href="/">Go to the page of Gatehouse</a></p>'
	else
		echo '<ul id="here">' && wrong "It could not remove itself: delete cgi-bin/check.cgi and gatehouse/conf/check-secret by SFTP." && echo '</ul>'
	fi
}

case $REQUEST_METHOD${QUERY_STRING#"$asked"} in
'POST&user') make_user ;;
'POST&remove') remove_page ;;
*) show_checks ;;
esac
