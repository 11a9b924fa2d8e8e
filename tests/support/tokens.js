// Access tokens, read and made by another implementation (jose).
import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SignJWT } from 'jose';

// The current signing key, {kid, secret}, of a keyring file (`kid created retires|- secret`).
export function signingKey(keyringPath) {
  const lines = readFileSync(keyringPath, 'utf8').split('\n').filter((l) => l && !l.startsWith('#'));
  const [kid, , , secret] = lines.filter((l) => l.split(' ')[2] === '-').at(-1).split(' ');
  return { kid, secret: Buffer.from(secret, 'base64url') };
}

// The key that a JWT_SECRET yields.
export function secretKey(secret) {
  const kid = createHash('sha256').update(secret).digest('hex').slice(0, 16);
  return { kid, secret: Buffer.from(secret) };
}

export const now = () => Math.floor(Date.now() / 1000);

// The session id in an access token.
export const sessionOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).sid;

// The claims of a valid token for `person` ({id, email, token}), in the session of their login.
export function claimsFor(person, changes = {}) {
  return {
    iss: 'gatehouse',
    sub: String(person.id),
    username: person.email,
    admin: false,
    scope: 'files:read files:write',
    iat: now(),
    nbf: now(),
    exp: now() + 300,
    jti: '0123456789abcdef0123456789abcdef',
    sid: sessionOf(person.token),
    ...changes,
  };
}

// A valid token, made by jose.
export function mint(key, claims) {
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: key.kid }).sign(key.secret);
}

const segment = (value) =>
  Buffer.from(typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value)).toString('base64url');

// A token of any head and claims, as values or as exact JSON text, with a correct MAC.
export function forge(secret, head, claims, hash = 'sha256') {
  const text = `${segment(head)}.${segment(claims)}`;
  return `${text}.${createHmac(hash, secret).update(text).digest('base64url')}`;
}
