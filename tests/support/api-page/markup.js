// HTML as text that is also well-formed XML: every inserted value is escaped, so none becomes markup.

class Markup {
  constructor(text) {
    this.text = text;
  }
}

const escaped = (text) =>
  String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

function textOf(value) {
  if (value === undefined || value === null || value === false || value === '') return '';
  if (Array.isArray(value)) return value.map(textOf).join('');
  return value instanceof Markup ? value.text : escaped(value);
}

// html`<p>${value}</p>`: a value is escaped, unless it was made by html`` itself; lists are joined;
// an absent value becomes nothing.
export function html(strings, ...values) {
  return new Markup(strings.reduce((text, string, i) => text + textOf(values[i - 1]) + string));
}

export const written = (markup) => markup.text;

// `visit` makes markup of each match of `pattern` in the text, and `rest` of the text between.
function split(text, pattern, visit, rest) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    parts.push(rest(text.slice(from, match.index)), visit(match));
    from = match.index + match[0].length;
  }
  return [...parts, rest(text.slice(from))];
}

const rfcs = (text) =>
  split(text, /RFC (\d{4,5})/g, ([words, number]) => html`<a href="https://www.rfc-editor.org/rfc/rfc${number}">${words.replace(' ', '\u00a0')}</a>`, (t) => html`${t}`);

// Code and RFCs in a line of text; `linkOf` returns the target of code, if it has one. Without it nothing
// is a link, for a line that is itself inside a button.
export const inline = (text, linkOf) =>
  split(text, /`([^`]+)`/g, ([, code]) => {
    const link = linkOf?.(code);
    return link ? html`<a href="${link}"><code>${code}</code></a>` : html`<code>${code}</code>`;
  }, linkOf ? rfcs : (t) => html`${t}`);

// The part of Markdown that docs/openapi.yaml uses: paragraphs, lists, fenced code, `code`.
export function markdown(text, linkOf) {
  const line = (lines) => inline(lines.trim().replace(/\s+/g, ' '), linkOf);
  const block = (lines) => {
    if (!lines.startsWith('- ')) return html`<p>${line(lines)}</p>`;
    return html`<ul>${lines.split(/^- /m).slice(1).map((item) => html`<li>${line(item)}</li>`)}</ul>`;
  };
  return text.split(/^```\w*\n([^]*?)\n```$/m).map((part, i) =>
    (i % 2 ? html`<pre tabindex="0"><code>${part}</code></pre>` : part.split(/\n{2,}/).filter((lines) => lines.trim()).map((lines) => block(lines.trim()))));
}

// A value as indented JSON, with a class for each kind of token.
export function json(value) {
  const text = JSON.stringify(value, null, 2);
  const word = /("(?:[^"\\]|\\.)*")(:?)|\b(?:true|false|null|-?\d+(?:\.\d+)?)\b/g;
  return split(text, word, ([all, string, colon]) => {
    if (!string) return html`<span class="value">${all}</span>`;
    return colon ? html`<span class="key">${string}</span>:` : html`<span class="string">${string}</span>`;
  }, (t) => html`${t}`);
}
