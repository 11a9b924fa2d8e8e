// Render docs/openapi.yaml as lighttpd/www/api.html.
import { document, operations } from '../document.js';
import { html, inline, json, markdown, written } from './markup.js';
import { article } from './operation.js';
import { fieldsOf } from './schema.js';

const LINKABLE = new Map(operations.flatMap(({ path, method, operation }) => [
  [path, operation.operationId],
  [`${method.toUpperCase()} ${path}`, operation.operationId],
]).reverse()); // a path links to its first operation

const PROBLEMS = new Set(document.components.schemas.ProblemType.oneOf.map((type) => type.const.replace('urn:gatehouse:', '')));

// The link target of code in the text, if it has one: `POST /login` and `/login` link to the operation,
// `not-found` to the problem.
function linkOf(code) {
  if (PROBLEMS.has(code)) return `#problem-${code}`;
  const id = LINKABLE.get(code);
  return id && `#${id}`;
}

const title = (name) => name.replace(/^./, (c) => c.toUpperCase());
const anchor = ({ name }) => `tag-${name.replaceAll(' ', '-')}`;
const ofTag = (tag) => operations.filter(({ operation }) => operation.tags[0] === tag.name);

function navigation() {
  return html`<nav id="contents" popover="auto" aria-label="Contents">
<p class="filter" hidden="hidden"><input id="filter" type="search" autocomplete="off" spellcheck="false" placeholder="Find a path or a word" aria-label="Find in the contents" /></p>
<ul>
<li><a href="#start">Start here</a></li>
<li><a href="#auth">Authentication</a></li>
<li><a href="#problems">Problems</a></li>
</ul>
${document.tags.map((tag) => html`<section>
<h2><a href="#${anchor(tag)}">${title(tag.name)}</a></h2>
<ul>
${ofTag(tag).map(({ path, method, operation }) => html`<li><a href="#${operation.operationId}" title="${operation.summary}"><span class="method ${method}">${method === 'delete' ? 'DEL' : method.toUpperCase()}</span> <span class="path">${path}</span></a></li>
`)}</ul>
</section>
`)}<p class="none" hidden="hidden">No matches. Try another word.</p>
</nav>`;
}

function start() {
  return html`<section id="start" class="chapter">
<h1>${document.info.title} API</h1>
<p class="lead">${document.info.summary}</p>
<p class="made">Made from <a href="openapi.yaml">openapi.yaml</a> (OpenAPI ${document.openapi}), which Postman and code generators import.</p>
${markdown(document.info.description, linkOf)}
</section>`;
}

function authentication() {
  const how = { basic: 'HTTP Basic', bearer: 'Authorization: Bearer', apiKey: 'Cookie' };
  return html`<section id="auth" class="chapter">
<h2>Authentication</h2>
${Object.entries(document.components.securitySchemes).map(([name, scheme]) => html`<h3 id="auth-${name}">${name} <span class="aside">${how[scheme.scheme ?? scheme.type]}${scheme.name && html` <code>${scheme.name}</code>`}</span></h3>
${markdown(scheme.description, linkOf)}`)}
</section>`;
}

function problems() {
  const { Problem, ProblemType } = document.components.schemas;
  return html`<section id="problems" class="chapter">
<h2>Problems</h2>
<p>${inline(Problem.description, linkOf)}</p>
<div class="samples">
<figure>
<figcaption>For example</figcaption>
<pre tabindex="0"><code>${json(document.components.responses.InvalidValue.content['application/problem+json'].example)}</code></pre>
</figure>
</div>
${fieldsOf(Problem, { linkOf })}
<dl>
${ProblemType.oneOf.map((type) => html`<div id="${type.const.replace('urn:gatehouse:', 'problem-')}"><dt><code>${type.const.replace('urn:gatehouse:', '')}</code></dt><dd>${inline(type.description, linkOf)}</dd></div>
`)}</dl>
</section>`;
}

function chapter(tag) {
  return html`<section id="${anchor(tag)}" class="tag">
<div class="chapter">
<h2>${title(tag.name)}</h2>
${markdown(tag.description, linkOf)}
</div>
${ofTag(tag).map((op) => article(op, linkOf))}
</section>
`;
}

// Remove the empty lines that absent values leave, except in a <pre>.
const tidy = (text) => text.split(/(<pre[^>]*>[^]*?<\/pre>)/).map((part, i) => (i % 2 ? part : part.replace(/\n\s*\n/g, '\n'))).join('');

export function apiPage() {
  return tidy(written(html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8" />
<title>Gatehouse API</title>
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="color-scheme" content="light dark" />
<link rel="icon" href="favicon.svg" type="image/svg+xml" />
<link rel="stylesheet" href="css/base.css" />
<link rel="stylesheet" href="css/api-page.css" />
<script src="js/api-page.js" defer="defer"></script>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<p class="brand"><a href="./"><img src="favicon.svg" alt="" />Gatehouse</a> <span>API ${document.info.version}</span></p>
<a href="openapi.yaml">openapi.yaml</a>
<button type="button" popovertarget="contents">Contents</button>
</header>
${navigation()}
<main id="main" tabindex="-1">
${start()}
${authentication()}
${problems()}
${document.tags.map(chapter)}</main>
</body>
</html>
`));
}
