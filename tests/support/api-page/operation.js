// One operation of the API as an article of the page.
import { resolved } from '../document.js';
import { curlLines, neededVariables } from './curl.js';
import { html, inline, json, markdown } from './markup.js';
import { field, fieldsOf } from './schema.js';

// Headers of every answer, described once at the top of the page.
const EVERYWHERE = ['#/components/headers/X-Request-ID', '#/components/headers/Cache-Control'];

const sample = (value) => (typeof value === 'string' ? value : json(value));

const WAYS = { basic: 'an email and a password', bearer: 'a token', refreshCookie: 'the refresh cookie' };

function access({ operation: { security: ways } }) {
  if (ways.length === 0) return 'Needs no authentication';
  return html`Needs ${ways.map((way, i) => {
    const [name] = Object.keys(way);
    const words = name ? html`<a href="#auth-${name}">${WAYS[name]}</a>` : 'nothing but its body';
    return html`${i > 0 && ' or '}${words}${name && way[name].map((scope) => html` with the scope <code>${scope}</code>`)}`;
  })}`;
}

function parameterList({ parameters }, linkOf) {
  const groups = [['path', 'In the path'], ['query', 'In the query'], ['header', 'Headers'], ['cookie', 'Cookies']];
  return groups.map(([where, title]) => {
    const list = parameters.filter((parameter) => parameter.in === where);
    return list.length > 0 && html`<h4>${title}</h4>
<ul class="fields">
${list.map(({ name, required, description, schema, example }) =>
    field(name, schema, { need: required && 'required', asked: true, description, example, linkOf }))}</ul>`;
  });
}

function requestBody({ operation: { requestBody: body } }, linkOf) {
  if (!body) return '';
  const kinds = Object.entries(body.content);
  return html`<h4>Body <span class="need ${body.required ? 'required' : 'optional'}">${body.required ? 'required' : 'optional'}</span></h4>
${body.description && html`<p>${inline(body.description, linkOf)}</p>`}
${kinds.map(([type, { schema }]) => html`<p class="media"><code>${type}</code>${!schema && html` ${kinds.length > 1 ? 'Of any other type: the' : 'The'} bytes of the file`}</p>
${schema && fieldsOf(schema, { linkOf, asked: true })}`)}`;
}

// The types of problem that the schema of an answer allows.
function problemsOf(schema) {
  const { properties } = schema;
  return [properties.type.const ?? properties.type.enum].flat();
}

function headerList(headers, linkOf) {
  const own = Object.entries(headers ?? {}).filter(([, header]) => !EVERYWHERE.includes(header.$ref));
  return own.length > 0 && html`<h5>Headers</h5>
<ul class="fields">
${own.map(([name, raw]) => {
    const header = resolved(raw);
    return field(name, header.schema, { need: header.required ? undefined : 'optional', description: header.description, linkOf });
  })}</ul>`;
}

function content(type, { schema, example }, linkOf) {
  if (type === '*/*') return html`<p class="media">The bytes of the file, with its media type</p>`;
  if (type === 'application/problem+json')
    return html`<p class="media"><a href="#problems"><code>${type}</code></a>, one of</p>
<ul class="kinds">${problemsOf(schema).map((kind) => html`<li><a href="#${kind.replace('urn:gatehouse:', 'problem-')}"><code>${kind.replace('urn:gatehouse:', '')}</code></a></li>`)}</ul>
<p class="said">“${example.detail}”</p>`;
  const { description, type: kind, pattern } = resolved(schema);
  const fields = fieldsOf(schema, { linkOf });
  return html`<p class="media"><code>${type}</code> ${description && inline(description, linkOf)}</p>
${fields || (kind === 'string' && pattern && html`<p class="field"><span class="type">string</span> <span class="limit"><code class="pattern">${pattern}</code></span></p>`)}`;
}

function answer(status, raw, id, linkOf) {
  const { description, headers, content: kinds } = resolved(raw);
  const good = status < '400';
  return html`<details class="answer ${good ? 'good' : 'bad'}" id="${id}-${status}"${good && html` open="open"`}>
<summary><b>${status}</b> <span>${inline(description.trim())}</span></summary>
<div>
${Object.entries(kinds ?? {}).map(([type, media]) => content(type, media, linkOf))}
${headerList(headers, linkOf)}
</div>
</details>`;
}

function curlBlocks(op) {
  const lines = curlLines(op);
  const own = neededVariables(lines, op).filter(([name]) => !['URL', 'TOKEN'].includes(name));
  return html`${lines.map(({ label, source }) => html`<figure>
<figcaption>${label ?? 'curl'}</figcaption>
<pre class="curl" tabindex="0"><code>${source}</code></pre>
</figure>`)}
${own.length > 0 && html`<p class="with">${own.map(([name, words], i) => html`${i ? '; ' : ''}<code>$${name}</code> is ${words}`)}.</p>`}`;
}

function exampleBlocks({ operation }) {
  const asked = operation.requestBody?.content['application/json']?.example;
  const good = Object.entries(operation.responses).filter(([status]) => status < '400').flatMap(([status, raw]) =>
    Object.entries(resolved(raw).content ?? {}).filter(([, media]) => media.example !== undefined).map(([type, media]) => [status, type, media.example]));
  return html`${asked !== undefined && html`<figure>
<figcaption>Body</figcaption>
<pre tabindex="0"><code>${json(asked)}</code></pre>
</figure>`}
${good.map(([status, type, example]) => html`<figure>
<figcaption>${status} <span>${type}</span></figcaption>
<pre tabindex="0"><code>${sample(example)}</code></pre>
</figure>`)}`;
}

export function article(op, linkOf) {
  const { path, method, inside, operation } = op;
  const id = operation.operationId;
  return html`<article id="${id}" class="operation">
<div class="words">
<h3><a href="#${id}">${operation.summary}</a></h3>
<p class="route"><span class="method ${method}">${method.toUpperCase()}</span> <code>${path}</code></p>
${markdown(operation.description, linkOf)}
<p class="access">${access(op)}${inside && html`, on the <a href="#tag-operation">internal listener</a>`}</p>
${parameterList(op, linkOf)}
${requestBody(op, linkOf)}
<h4>Answers</h4>
${Object.entries(operation.responses).sort(([a], [b]) => a - b).map(([status, raw]) => answer(status, raw, id, linkOf))}
</div>
<div class="samples">
${curlBlocks(op)}
${exampleBlocks(op)}
</div>
</article>`;
}
