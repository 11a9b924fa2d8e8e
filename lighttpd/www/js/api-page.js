// api-page.js - what api.html cannot do by itself: find, copy, and show where one is.

const contents = document.getElementById('contents');
const links = [...contents.querySelectorAll('li a')];

// --- find ---------------------------------------------------------------------

const filter = document.getElementById('filter');

function show(words) {
  for (const link of links) {
    const text = `${link.textContent} ${link.title}`.toLowerCase();
    link.parentElement.hidden = !words.every((word) => text.includes(word));
  }
  for (const group of contents.querySelectorAll('section')) group.hidden = !group.querySelector('li:not([hidden])');
  contents.querySelector('.none').hidden = links.some((link) => !link.parentElement.hidden);
}

filter.addEventListener('input', () => show(filter.value.toLowerCase().split(/\s+/).filter(Boolean)));
filter.addEventListener('keydown', (event) => {
  if (event.key === 'Enter') links.find((link) => !link.parentElement.hidden)?.click();
});
contents.querySelector('.filter').hidden = false;

// "/" goes to the field, as on other pages of this kind.
document.addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || event.target.matches('input')) return;
  event.preventDefault();
  if (getComputedStyle(contents).display === 'none') contents.showPopover();
  filter.focus();
});

contents.addEventListener('click', (event) => {
  if (event.target.closest('a') && contents.matches(':popover-open')) contents.hidePopover();
});

// --- copy ---------------------------------------------------------------------

// Without TLS a page on another host than this has no clipboard: then the text is selected.
async function copy(code) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    return 'Copied';
  } catch {
    getSelection().selectAllChildren(code);
    return 'Selected';
  }
}

for (const code of document.querySelectorAll('pre.curl code')) {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = 'Copy';
  button.addEventListener('click', async () => {
    button.textContent = await copy(code);
    setTimeout(() => (button.textContent = 'Copy'), 2000);
  });
  code.closest('figure').querySelector('figcaption').append(button);
}

// --- where one is ---------------------------------------------------------------

const linkTo = new Map(links.map((link) => [link.hash.slice(1), link]));
let current;

// Not scrollIntoView, which would move the page too.
function reveal() {
  if (!current) return;
  const { top, bottom } = current.getBoundingClientRect();
  const box = contents.getBoundingClientRect();
  if (top < box.top || bottom > box.bottom) contents.scrollTop += top - box.top - box.height / 2;
}

function mark(link) {
  if (link === current) return;
  current?.removeAttribute('aria-current');
  link.setAttribute('aria-current', 'true');
  current = link;
  reveal();
}
contents.addEventListener('toggle', reveal);

// What lies across a line a quarter down the window.
const observer = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) if (isIntersecting) mark(linkTo.get(target.id));
}, { rootMargin: '-25% 0px -75%' });
for (const id of linkTo.keys()) observer.observe(document.getElementById(id));

// --- an answer that a link names is opened ------------------------------------------

function open() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target?.matches('details')) target.open = true;
}
addEventListener('hashchange', open);
open();
