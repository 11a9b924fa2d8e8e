// clipboard.js - a read-only field with a button that copies its text.
import { h } from './dom.js';
import { announce, showError } from './toasts.js';

// Select all of the text, and show its beginning if it is longer than the field.
function selectAll(input) {
  input.select();
  requestAnimationFrame(() => (input.scrollLeft = 0));
}

// The clipboard API exists only over TLS and on localhost. Without it the text is selected and copied by
// execCommand; if that fails, the user presses Ctrl+C. Returns whether the text was copied.
async function copyText(input) {
  selectAll(input);
  if (!navigator.clipboard) return document.execCommand('copy');
  await navigator.clipboard.writeText(input.value);
  return true;
}

// `label` names the field for screen readers.
export function copyField(label, text) {
  const input = h('input', { readOnly: true, value: text, ariaLabel: label, onfocus: () => selectAll(input), spellcheck: false });
  const button = h('button', { type: 'button', onclick }, 'Copy');
  function onclick() {
    copyText(input).then((copied) => {
      if (!copied) return;
      button.textContent = 'Copied';
      announce('Copied');
      setTimeout(() => (button.textContent = 'Copy'), 2000);
    }, showError);
  }
  return h('div', {}, input, button);
}

// A box with a sentence and a text to copy, for a secret that is shown only once.
export const copyBox = (sentence, label, text) => h('div.copy-box', {}, h('p', {}, sentence), copyField(label, text));
