// signature.js - verify a webhook's signature (Standard Webhooks 1.0).
import { createHmac, timingSafeEqual } from 'node:crypto';

const TOLERANCE = 300; // seconds between the sender's clock and ours

// `body` is the bytes as received. `secret` is EVENT_SECRET of Gatehouse; several, separated by blanks, are tried in order.
export function isGenuine(headers, body, secret, now = Date.now() / 1000) {
  const sent = Number(headers['webhook-timestamp']);
  if (!(Math.abs(now - sent) < TOLERANCE)) return false;
  const signatures = (headers['webhook-signature'] ?? '').split(' ');
  return secret.split(/\s+/).some((one) => {
    const key = one.startsWith('whsec_') ? Buffer.from(one.slice(6), 'base64') : Buffer.from(one);
    const mac = createHmac('sha256', key).update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.`).update(body);
    const expected = Buffer.from(`v1,${mac.digest('base64')}`);
    return signatures.some((text) => text.length === expected.length && timingSafeEqual(Buffer.from(text), expected));
  });
}
