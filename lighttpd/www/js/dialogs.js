// dialogs.js - a dialog that lies over the page (<dialog>).
//
// The browser keeps the focus inside, Escape closes, and the focus returns to where it was. A click
// beside the dialog closes it too, but not the second one of a double click, whose first has opened it.
import { $$, h } from './dom.js';

let made = 0;

// Notices are seen and heard only in the dialog on top: it lies over the rest, and makes it inert.
function carryNotices() {
  ($$('dialog[open]').at(-1) ?? document.body).append(...$$('#toasts, #announcer'));
}

// Its scroll bar is the dialog, too.
function isBeside({ target, clientX: x, clientY: y }, dialog) {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  return target === dialog && (x < left || x > right || y < top || y > bottom);
}

function closed(dialog) {
  carryNotices();
  dialog.remove();
}

// Show a dialog with a heading. `body` are its elements. Gives the element; it is removed when closed.
export function openDialog(title, ...body) {
  const id = `dialog-${++made}`;
  const dialog = h('dialog', { onclose: () => closed(dialog), onmousedown: (event) => event.detail < 2 && isBeside(event, dialog) && dialog.close() },
    h('header', {},
      h('h2', { id, tabIndex: -1 }, h('bdi', { dir: 'auto' }, title)),
      h('button.icon', { type: 'button', ariaLabel: 'Close', data: { icon: 'close' }, onclick: () => dialog.close() })),
    h('div.body', {}, ...body));
  dialog.setAttribute('aria-labelledby', id);
  document.body.append(dialog);
  dialog.showModal();
  carryNotices();
  return dialog;
}

// Ask before what cannot be undone; true for yes.
export function confirmDialog(title, sentence, yes) {
  return new Promise((done) => {
    let answer = false;
    const dialog = openDialog(title,
      h('p', {}, sentence),
      h('div.acts-row', {},
        h('button.danger', { type: 'button', onclick: () => { answer = true; dialog.close(); } }, yes),
        h('button.quiet', { type: 'button', onclick: () => dialog.close() }, 'Cancel')));
    dialog.addEventListener('close', () => done(answer));
  });
}
