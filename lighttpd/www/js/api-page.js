// api-page.js - search, copy buttons and the current position on api.html, which works without it too.

const contents = document.getElementById('contents');
const links = [...contents.querySelectorAll('li a')];

// --- search -------------------------------------------------------------------

const filter = document.getElementById('filter');

function showMatches(words) {
  for (const link of links) {
    const text = `${link.textContent} ${link.title}`.toLowerCase();
    link.parentElement.hidden = !words.every((word) => text.includes(word));
  }
  for (const group of contents.querySelectorAll('section')) group.hidden = !group.querySelector('li:not([hidden])');
  contents.querySelector('.none').hidden = links.some((link) => !link.parentElement.hidden);
}

filter.addEventListener('input', () => showMatches(filter.value.toLowerCase().split(/\s+/).filter(Boolean)));
filter.addEventListener('keydown', (event) => {
  if (event.key === 'Enter') links.find((link) => !link.parentElement.hidden)?.click();
});
contents.querySelector('.filter').hidden = false;

// "/" focuses the search field.
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

// The clipboard API exists only over TLS and on localhost. Without it the text is selected. Returns the label
// of the button.
async function copyCode(code) {
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
    button.textContent = await copyCode(code);
    setTimeout(() => (button.textContent = 'Copy'), 2000);
  });
  code.closest('figure').querySelector('figcaption').append(button);
}

// --- current position -----------------------------------------------------------

const linkTo = new Map(links.map((link) => [link.hash.slice(1), link]));
let current;

// Scroll the contents to the current link. Not by scrollIntoView, which scrolls the page too.
function scrollToCurrent() {
  if (!current) return;
  const { top, bottom } = current.getBoundingClientRect();
  const box = contents.getBoundingClientRect();
  if (top < box.top || bottom > box.bottom) contents.scrollTop += top - box.top - box.height / 2;
}

function setCurrent(link) {
  if (link === current) return;
  current?.removeAttribute('aria-current');
  link.setAttribute('aria-current', 'true');
  current = link;
  scrollToCurrent();
}
contents.addEventListener('toggle', scrollToCurrent);

// The current section is the one at a quarter of the height of the window.
const observer = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) if (isIntersecting) setCurrent(linkTo.get(target.id));
}, { rootMargin: '-25% 0px -75%' });
for (const id of linkTo.keys()) observer.observe(document.getElementById(id));

// --- open the answer that the address names ------------------------------------------

function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target?.matches('details')) target.open = true;
}
addEventListener('hashchange', openTarget);
openTarget();
