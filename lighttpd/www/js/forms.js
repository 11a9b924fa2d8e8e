// forms.js - forms with an error message beneath them, and a select for an expiry.
import { h, whileBusy } from './dom.js';
import { duration } from './format.js';

const HOUR = 3600;
const DAY = 24 * HOUR;
const LIFETIMES = [[HOUR, '1 hour'], [DAY, '1 day'], [7 * DAY, '7 days'], [30 * DAY, '30 days'], [365 * DAY, '1 year'], ['', 'Never']];

// A <select> of lifetimes. Its value is a number of seconds, or '' for never. `unchanged` is the label of
// an additional first option, whose value is 'unchanged'.
export function lifetimeSelect({ selected = '', unchanged, ...properties } = {}) {
  const options = LIFETIMES.map(([value, label]) => h('option', { value, defaultSelected: value === selected && !unchanged }, label));
  if (unchanged) options.unshift(h('option', { value: 'unchanged', defaultSelected: true }, unchanged));
  return h('select', properties, ...options);
}

// The value of a lifetimeSelect or of an optional number field: a number, or null if it is empty.
export const numberOrNull = (field) => (field.value.trim() === '' ? null : Number(field.value));

// A form with a submit button. If `submit` throws, the form shows the error beneath its fields.
export function formWithError(fields, label, submit, className = 'narrow-form') {
  const message = h('p.problem', { role: 'alert' });
  const button = h('button', { type: 'submit' }, label);
  const form = h(`form.${className}`, { onsubmit }, ...fields, message, h('div.button-row', {}, button));
  function onsubmit(event) {
    event.preventDefault();
    message.textContent = '';
    whileBusy(button, async () => {
      try {
        await submit(form);
      } catch (error) {
        message.textContent = errorText(error);
      }
    });
  }
  return form;
}

export const tooManyAttempts = (seconds) => `Too many failed attempts. Try again in ${duration(seconds)}.`;

const errorText = (error) => (error.status === 429 && error.retryAfter ? tooManyAttempts(error.retryAfter) : error.detail ?? error.message);
