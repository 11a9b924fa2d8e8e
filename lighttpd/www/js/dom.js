// dom.js - elements without HTML strings: text stays text, whatever a file is called.

// h('button.icon', { type: 'button', ariaLabel: 'Close', onclick }, 'text', child, …): properties are
// set as properties where the element has them, else as attributes (ariaLabel as aria-label); null and
// false are left out.
export function h(what, properties = {}, ...children) {
  const [name, ...classes] = what.split('.');
  const element = document.createElement(name || 'div');
  if (classes.length) element.className = classes.join(' ');
  for (const [key, value] of Object.entries(properties)) {
    if (key === 'data') Object.assign(element.dataset, value);
    else if (value === null || value === undefined || value === false) continue;
    else if (key.startsWith('aria')) element.setAttribute(`aria-${key.slice(4).toLowerCase()}`, value);
    else if (key in element) element[key] = value;
    else element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const $ = (selector, inside = document) => inside.querySelector(selector);
export const $$ = (selector, inside = document) => [...inside.querySelectorAll(selector)];

// Text only when it is another: a live region says again what is set again.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Draw a list anew from which `button` may go: then the focus is on the one that stands in its place, on
// the last one, or on the heading above.
export async function keepPlace(button, redraw) {
  const list = button.closest('ul');
  const at = $$('button', list).indexOf(button);
  await redraw();
  const left = $$('button', list);
  const heading = $('h2, h3', list.closest('section'));
  if (!left.length) heading.tabIndex = -1;
  (left[at] ?? left.at(-1) ?? heading).focus();
}

// A button that is busy while `work` runs, and cannot be pressed twice.
export async function whileBusy(button, work) {
  if (button.hasAttribute('aria-busy')) return undefined;
  button.setAttribute('aria-busy', 'true');
  try {
    return await work();
  } finally {
    button.removeAttribute('aria-busy');
  }
}
