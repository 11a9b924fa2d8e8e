// dom.js - build and find elements without HTML strings, so that a file name is never read as markup.

// h('button.icon', { type: 'button', ariaLabel: 'Close', onclick }, 'text', child, …): a property is set
// as a property if the element has it, else as an attribute (ariaLabel as aria-label). Null, undefined
// and false are left out.
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

// Set the text only if it differs: a screen reader repeats the text of a live region each time it is set.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Redraw a list that may lose `button`. The focus moves to the button at the same position, else to the
// last button, else to the heading of the section.
export async function keepFocus(button, redraw) {
  const list = button.closest('ul');
  const index = $$('button', list).indexOf(button);
  await redraw();
  const buttons = $$('button', list);
  const heading = $('h2, h3', list.closest('section'));
  if (!buttons.length) heading.tabIndex = -1;
  (buttons[index] ?? buttons.at(-1) ?? heading).focus();
}

// Mark `button` as busy while `work` runs. A busy button cannot be pressed again.
export async function whileBusy(button, work) {
  if (button.hasAttribute('aria-busy')) return undefined;
  button.setAttribute('aria-busy', 'true');
  try {
    return await work();
  } finally {
    button.removeAttribute('aria-busy');
  }
}
