// forms.js - forms whose problem stands beneath them, and the choice of when something ends.
import { h, whileBusy } from './dom.js';
import { duration } from './format.js';

const HOUR = 3600;
const DAY = 24 * HOUR;
const TIMES = [[HOUR, '1 hour'], [DAY, '1 day'], [7 * DAY, '7 days'], [30 * DAY, '30 days'], [365 * DAY, '1 year'], ['', 'Never']];

// A <select> of when something ends; its value is seconds, '' for never. `keep` is the words of a
// first choice that changes nothing (value 'keep').
export function endChoice({ chosen = '', keep, ...properties } = {}) {
  const options = TIMES.map(([value, label]) => h('option', { value, defaultSelected: value === chosen && !keep }, label));
  if (keep) options.unshift(h('option', { value: 'keep', defaultSelected: true }, keep));
  return h('select', properties, ...options);
}

// What a field of endChoice, or of a number that may be empty, has: a number or null.
export const numberOrNull = (field) => (field.value.trim() === '' ? null : Number(field.value));

// A form whose problem stands beneath it.
export function formWith(fields, label, submit, className = 'narrow-form') {
  const problem = h('p.problem', { role: 'alert' });
  const button = h('button', { type: 'submit' }, label);
  const form = h(`form.${className}`, { onsubmit }, ...fields, problem, h('div.acts-row', {}, button));
  function onsubmit(event) {
    event.preventDefault();
    problem.textContent = '';
    whileBusy(button, async () => {
      try {
        await submit(form);
      } catch (error) {
        problem.textContent = wordsOf(error);
      }
    });
  }
  return form;
}

// A problem in a sentence.
export const wordsOf = (error) =>
  error.status === 429 && error.retryAfter ? `Too many attempts failed. Try again in ${duration(error.retryAfter)}.` : error.detail ?? error.message;
