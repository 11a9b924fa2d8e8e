// api.js - requests with the access token of the logged-in user.
//
// After a 401 the token is refreshed and the request is sent once more. If the refresh fails, the session
// ends (session.js). Everything else is as in http.js.
import { send } from './http.js';
import { accessToken } from './session.js';

export async function api(method, path, options = {}) {
  const token = await accessToken();
  try {
    return await send(method, path, withToken(options, token));
  } catch (error) {
    // A wrong current password at /password is a 401 too, but not one of the token.
    if (error.status !== 401 || !['invalid-token', 'missing-token'].includes(error.slug)) throw error;
    return send(method, path, withToken(options, await accessToken(token)));
  }
}

const withToken = (options, token) => ({ ...options, headers: { ...options.headers, Authorization: `Bearer ${token}` } });
