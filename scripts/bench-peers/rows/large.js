// Rows of large bodies, by curl.
import { copyFileSync, mkdirSync, readdirSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { bearer, curl, output, sendPieces } from '../load.js';
import { atLeastHalfATick, endedChildren, measure } from '../processes.js';

// CPU and wall seconds of a program that is run to its end.
async function program(...command) {
  const before = endedChildren(), begun = performance.now();
  await output(...command);
  return { wall: (performance.now() - begun) / 1000, cpu: atLeastHalfATick(endedChildren() - before) };
}

const put = (server, large, url, remove) => async () => {
  const figures = await measure(server.roots, () => curl('-o', '/dev/null', '-H', 'Expect:', '-T', large, url).then(() => ({})));
  remove();
  return figures;
};

const large = {
  name: 'large',
  title: '{size} upload',
  goals: [
    { title: 'raw, CPU', figure: 'cpu', unit: 's', of: 'raw', peers: ['webdav', 'sha256'], most: 1.5 },
    { title: 'raw, wall', figure: 'wall', unit: 's', of: 'raw', peers: ['webdav', 'sha256'], most: 1.8 },
    { title: 'raw, CPU', figure: 'cpu', unit: 's', of: 'raw', peers: ['nginx'] },
    { title: 'form, CPU', figure: 'cpu', unit: 's', of: 'form', peers: ['raw'], most: 1.1 },
    { title: 'raw, CPU', figure: 'cpu', unit: 's', of: 'raw', peers: ['copy', 'sha256'] },
  ],
  async contenders({ servers, large: file, place }) {
    const ours = await servers.gatehouse(), dav = await servers.static(), nginx = await servers.nginx();
    const upload = (form) => async () => {
      let id;
      const figures = await measure(ours.roots, async () => {
        id = await ours.upload(file, { form });
        return {};
      });
      await ours.remove(id);
      return figures;
    };
    return {
      raw: upload(false),
      webdav: put(dav, file, `${dav.url}/dav/large`, () => unlinkSync(join(dav.folder, 'www/dav/large'))),
      sha256: () => program('openssl', ['dgst', '-sha256', file]),
      form: upload(true),
      nginx: put(nginx, file, `${nginx.url}/large`, () => unlinkSync(join(nginx.folder, 'large'))),
      copy: async () => {
        const figures = await program('cp', ['--reflink=never', file, join(place, 'copy')]);
        unlinkSync(join(place, 'copy'));
        return figures;
      },
    };
  },
};

// The address of a new upload at `url`.
async function newUpload(url, bytes, fields) {
  const head = await curl('-D', '-', '-o', '/dev/null', '-d', '', '-H', 'Tus-Resumable: 1.0.0', '-H', `Upload-Length: ${bytes}`, ...fields.flatMap((f) => ['-H', f]), url);
  return new URL(/^location:\s*(\S+)/im.exec(head)[1], url).href;
}

const tus = {
  name: 'tus',
  title: '{size} by tus in {piece} requests',
  goals: [
    { title: 'CPU', figure: 'cpu', unit: 's', peers: ['tus-server'], most: 0.85 },
    { title: 'wall', figure: 'wall', unit: 's', peers: ['tus-server'], most: 1.2 },
  ],
  async contenders({ servers, pieces, bytes }) {
    const ours = await servers.gatehouse(), peer = await servers.tus();
    return {
      gatehouse: async () => {
        let url;
        const figures = await measure(ours.roots, async () => {
          url = await newUpload(`${ours.url}/tus/`, bytes, [bearer(ours.token)]);
          await sendPieces(pieces, url, [bearer(ours.token)]);
          return {};
        });
        await ours.remove(/[0-9a-f-]{36}/.exec(url)[0]);
        return figures;
      },
      'tus-server': async () => {
        const figures = await measure(peer.roots, async () => {
          await sendPieces(pieces, await newUpload(`${peer.url}/files`, bytes, []), []);
          return {};
        });
        for (const name of readdirSync(peer.folder)) rmSync(join(peer.folder, name));
        return figures;
      },
    };
  },
};

const download = {
  name: 'large-download',
  title: '{size} download',
  goals: [{ title: 'CPU', figure: 'cpu', unit: 's', peers: ['static'], most: 1.07 }],
  async contenders({ servers, large: file }) {
    const ours = await servers.gatehouse(), peer = await servers.static();
    copyFileSync(file, join(peer.folder, 'www/large'));
    const id = await ours.upload(file);
    const get = (server, url, ...fields) => () => measure(server.roots, () => curl('-o', '/dev/null', ...fields, url).then(() => ({})));
    return {
      gatehouse: get(ours, `${ours.url}/download/${id}`, '-H', bearer(ours.token)),
      static: get(peer, `${peer.url}/large`),
    };
  },
};

export const largeRows = [large, tus, download];

// `bytes` of random data at place/large, and the same in pieces.
export async function largeBodies(place, bytes, pieceBytes) {
  const file = join(place, 'large'), pieces = join(place, 'pieces');
  await output('bash', ['-c', 'head -c "$0" /dev/urandom >"$1"', String(bytes), file]);
  mkdirSync(pieces);
  await output('split', ['-b', String(pieceBytes), '-a', '4', file, `${pieces}/`]);
  return { large: file, pieces };
}
