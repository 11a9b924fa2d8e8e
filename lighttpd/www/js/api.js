// api.js - requests in the name of whoever is logged in.
//
// A 401 is answered by one refresh and the same request again; a second 401 ends the session (see
// session.js). Everything else is as in http.js.
import { send } from './http.js';
import { accessToken } from './session.js';

export async function api(method, path, options = {}) {
  const token = await accessToken();
  try {
    return await send(method, path, withToken(options, token));
  } catch (error) {
    // A wrong password at /password is 401, too, and says nothing about the token.
    if (error.status !== 401 || !['invalid-token', 'missing-token'].includes(error.slug)) throw error;
    return send(method, path, withToken(options, await accessToken(token)));
  }
}

const withToken = (options, token) => ({ ...options, headers: { ...options.headers, Authorization: `Bearer ${token}` } });
