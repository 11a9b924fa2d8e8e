// clipboard.js - a text with a button that copies it.
import { h } from './dom.js';
import { announce, complain } from './toasts.js';

// All of it, which is seen from its beginning when it is longer than its field.
function choose(input) {
  input.select();
  requestAnimationFrame(() => (input.scrollLeft = 0));
}

// The clipboard exists only where the page came by TLS or from this machine; else the text is selected,
// and a key copies it.
async function copy(input) {
  choose(input);
  if (!navigator.clipboard) return document.execCommand('copy');
  await navigator.clipboard.writeText(input.value);
  return true;
}

// `label` names the text for who cannot see it.
export function copyField(label, text) {
  const input = h('input', { readOnly: true, value: text, ariaLabel: label, onfocus: () => choose(input), spellcheck: false });
  const button = h('button', { type: 'button', onclick }, 'Copy');
  function onclick() {
    copy(input).then((done) => {
      if (!done) return;
      button.textContent = 'Copied';
      announce('Copied');
      setTimeout(() => (button.textContent = 'Copy'), 2000);
    }, complain);
  }
  return h('div', {}, input, button);
}

// What is shown once: a sentence, and the text.
export const shownOnce = (sentence, label, text, ...more) =>
  h('div.copy', {}, h('p', {}, sentence), copyField(label, text), ...more);
