// dialogs.js - modal dialogs (<dialog>).
//
// The browser keeps the focus inside, closes the dialog on Escape and restores the focus. A click outside
// closes it too, but not the second click of a double click whose first one opened it.
import { $$, h } from './dom.js';

let dialogs = 0; // opened so far, for their ids

// Move the notices into the topmost dialog: it covers the rest of the page and makes it inert.
function moveNotices() {
  ($$('dialog[open]').at(-1) ?? document.body).append(...$$('#toasts, #announcer'));
}

// Compare coordinates, because a click on the scroll bar of the dialog also has the dialog as its target.
function isOutside({ target, clientX: x, clientY: y }, dialog) {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  return target === dialog && (x < left || x > right || y < top || y > bottom);
}

function removeDialog(dialog) {
  moveNotices();
  dialog.remove();
}

// Open a dialog with a heading and the elements of `body`. Returns its element, which is removed when the
// dialog closes.
export function openDialog(title, ...body) {
  const id = `dialog-${++dialogs}`;
  const dialog = h('dialog', { onclose: () => removeDialog(dialog), onmousedown: (event) => event.detail < 2 && isOutside(event, dialog) && dialog.close() },
    h('header', {},
      h('h2', { id, tabIndex: -1 }, h('bdi', { dir: 'auto' }, title)),
      h('button.icon', { type: 'button', ariaLabel: 'Close', data: { icon: 'close' }, onclick: () => dialog.close() })),
    h('div.body', {}, ...body));
  dialog.setAttribute('aria-labelledby', id);
  document.body.append(dialog);
  dialog.showModal();
  moveNotices();
  return dialog;
}

// Ask for confirmation. Returns true if the user presses the button `yes`.
export function confirmDialog(title, sentence, yes) {
  return new Promise((resolve) => {
    let confirmed = false;
    const dialog = openDialog(title,
      h('p', {}, sentence),
      h('div.button-row', {},
        h('button.danger', { type: 'button', onclick: () => { confirmed = true; dialog.close(); } }, yes),
        h('button.quiet', { type: 'button', onclick: () => dialog.close() }, 'Cancel')));
    dialog.addEventListener('close', () => resolve(confirmed));
  });
}
