// last-email.js - the email of the last login, in localStorage. It is not a secret.
//
// It is removed at a logout: where it is stored, the browser probably has a session.
const KEY = 'gatehouse-email';

export function lastEmail() {
  try {
    return localStorage.getItem(KEY) ?? '';
  } catch {
    return ''; // storage is forbidden: a reload needs the password again
  }
}

export function storeEmail(email) {
  try {
    if (email) localStorage.setItem(KEY, email);
    else localStorage.removeItem(KEY);
  } catch {
    // Storage is forbidden.
  }
}
