// How the programs of a run are reached, as GATEHOUSE_TRANSPORT says: fastcgi (the default), spawn-fcgi, tcp or cgi
// under lighttpd; or a server that stands in lighttpd's place as the public listener, with the configuration of
// deploy/ (front.js). lighttpd still has the internal one.
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

// Of a value as GATEHOUSE_TRANSPORT takes it: {transport, front, settings}. `front` is undefined under lighttpd.
export function reach(how) {
  const front = fronts[how];
  return front ? { front: how, ...front } : { transport: how };
}

export const asked = process.env.GATEHOUSE_TRANSPORT || 'fastcgi';
export const { transport, front } = reach(asked);
