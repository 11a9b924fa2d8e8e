// How the programs of a run are reached, chosen by GATEHOUSE_TRANSPORT: fastcgi (the default), spawn-fcgi, tcp or cgi
// under lighttpd, or a server that replaces lighttpd as the public listener, with the configuration of
// deploy/ (front.js). lighttpd still has the internal listener.
//
//   nginx                  spawn-fcgi              nginx, which sends the bytes of files
//   caddy                  spawn-fcgi              Caddy
//   apache-cgi             cgi                     Apache, mod_cgi
//   apache-fcgid           cgi                     Apache, mod_fcgid, which starts them itself
const fronts = {
  nginx: { transport: 'spawn-fcgi', settings: { SENDFILE: 'x-accel-redirect' } },
  caddy: { transport: 'spawn-fcgi', settings: { SENDFILE: 'none' } },
  'apache-cgi': { transport: 'cgi' },
  'apache-fcgid': { transport: 'cgi' },
};

// {transport, front, settings} for a value of GATEHOUSE_TRANSPORT. `front` is undefined under lighttpd.
export function resolveTransport(how) {
  const front = fronts[how];
  return front ? { front: how, ...front } : { transport: how };
}

export const chosen = process.env.GATEHOUSE_TRANSPORT || 'fastcgi';
export const { transport, front } = resolveTransport(chosen);
