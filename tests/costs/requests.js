// The kinds of requests whose costs are kept in costs.json. Each is {name, prepare, send}: `prepare` makes what
// one request needs, and is not counted; `send` sends the request and checks its status.
import { assertStatus, basic } from '../support/client.js';
import { claimsFor, forge } from '../support/tokens.js';

export async function requestKinds(stack) {
  const ann = await stack.person(), token = ann.token, auth = { token };
  const must = async (status, ...request) => {
    const answer = await stack.call(...request);
    assertStatus(answer, status);
    return answer;
  };
  const upload = async () => (await must(201, 'PUT', '/upload/note.txt', { ...auth, body: 'hello' })).json.files[0].id;
  const file = await upload();
  const link = (await must(201, 'POST', `/files/${file}/links`, { ...auth, json: {} })).json.url;
  const uploadLink = (await must(201, 'POST', '/upload-links', { ...auth, json: {} })).json.url;
  const script = (await must(201, 'POST', '/tokens', { ...auth, json: { name: 'a script' } })).json.token;
  const forged = forge(Buffer.alloc(32, 1), { alg: 'HS256', typ: 'at+jwt', kid: stack.signingKey().kid }, claimsFor(ann));
  const form = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhello\r\n--b--\r\n';
  const tus = { 'Tus-Resumable': '1.0.0' };
  const login = () => must(200, 'POST', '/login', { headers: { Authorization: basic(ann.email, ann.password) } });
  const newUpload = async (length) => (await must(201, 'POST', '/tus/', { ...auth, headers: { ...tus, 'Upload-Length': String(length) } })).headers.get('location');
  const ask = (...request) => () => must(...request);

  const kinds = {
    healthz: { send: async () => assertStatus(await stack.callInternal('GET', '/cgi-gateway/healthz'), 200) },
    'wrong token': { send: ask(401, 'GET', `/download/${file}`, { token: forged }) },
    download: { send: ask(200, 'GET', `/download/${file}`, auth) },
    'download of a part': { send: ask(206, 'GET', `/download/${file}`, { ...auth, headers: { Range: 'bytes=1-2' } }) },
    'download, not modified': { send: ask(304, 'GET', `/download/${file}`, { ...auth, headers: { 'If-None-Match': '*' } }) },
    'download, API token': { send: ask(200, 'GET', `/download/${file}`, { token: script }) },
    'share link': { send: ask(200, 'GET', `${link}?download`) },
    'list, API token': { send: ask(200, 'GET', '/files?limit=10', { token: script }) },
    list: { send: ask(200, 'GET', '/files?limit=10', auth) },
    search: { send: ask(200, 'GET', '/files?q=note', auth) },
    file: { send: ask(200, 'GET', `/files/${file}`, auth) },
    usage: { send: ask(200, 'GET', '/usage', auth) },
    upload: { send: upload },
    'upload, form': { send: ask(201, 'POST', '/upload', { ...auth, body: form, headers: { 'Content-Type': 'multipart/form-data; boundary=b' } }) },
    'upload, by a link': { send: ask(201, 'PUT', `${uploadLink}/a.txt`, { body: 'hello' }) },
    'upload, wrong token': { send: ask(401, 'PUT', '/upload/note.txt', { token: forged, body: 'hello' }) },
    'upload, 1 MiB': { send: ask(201, 'PUT', '/upload/large.bin', { ...auth, body: Buffer.alloc(1 << 20, 'x') }) },
    'tus, POST': { send: () => newUpload(5) },
    'tus, PATCH': {
      prepare: () => newUpload(5),
      send: (path) => must(204, 'PATCH', path, { ...auth, body: 'hello', headers: { ...tus, 'Upload-Offset': '0', 'Content-Type': 'application/offset+octet-stream' } }),
    },
    'tus, HEAD': { prepare: () => newUpload(5), send: (path) => must(200, 'HEAD', path, { ...auth, headers: tus }) },
    rename: { prepare: upload, send: (id) => must(200, 'PATCH', `/files/${id}`, { ...auth, json: { name: 'new.txt' } }) },
    delete: { prepare: upload, send: (id) => must(204, 'DELETE', `/files/${id}`, auth) },
    'new share link': { send: ask(201, 'POST', `/files/${file}/links`, { ...auth, json: {} }) },
    login: { send: login },
    refresh: { prepare: async () => (await login()).json.refresh_token, send: (value) => must(200, 'POST', '/refresh', { json: { refresh_token: value } }) },
    validate: { send: async () => assertStatus(await stack.callInternal('GET', '/validate', auth), 200) },
    sessions: { send: ask(200, 'GET', '/sessions', auth) },
    me: { send: ask(200, 'GET', '/me', auth) },
    logout: { prepare: async () => (await login()).json.access_token, send: (t) => must(204, 'POST', '/logout', { token: t }) },
  };
  return Object.entries(kinds).map(([name, kind]) => ({ name, prepare: () => undefined, ...kind }));
}
