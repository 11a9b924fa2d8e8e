// A JSON schema as a list of fields that a person can read.
import { resolved } from '../document.js';
import { html, inline } from './markup.js';

const isNull = (schema) => schema.type === 'null';

// The schema without "or null", and whether it may be null.
function nonNull(schema) {
  const others = schema.oneOf?.filter((one) => !isNull(one));
  if (others && others.length === 1 && others.length < schema.oneOf.length) {
    const { oneOf, ...beside } = schema;
    return { schema: { ...resolved(others[0]), ...beside }, nullable: true };
  }
  if (Array.isArray(schema.type)) {
    const types = schema.type.filter((type) => type !== 'null');
    return { schema: { ...schema, type: types[0] }, nullable: types.length < schema.type.length };
  }
  return { schema, nullable: false };
}

function typeName(schema) {
  if (schema.type === 'array') return `list of ${plural(resolved(schema.items))}`;
  if (schema.type === 'string' && schema.format === 'date-time') return 'time';
  if (schema.type === 'string' && schema.contentMediaType) return 'bytes';
  if (schema.type === 'null') return 'null';
  return schema.type ?? (typeof schema.const === 'string' ? 'string' : typeof schema.const);
}

function plural(schema) {
  const name = typeName(nonNull(schema).schema);
  return name === 'bytes' ? name : `${name}s`;
}

const grouped = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, '\u202f');

function range(least, most, unit) {
  const words = unit ? ` ${unit}` : '';
  if (least !== undefined && least === most) return `${grouped(least)}${words}`;
  if (least !== undefined && most !== undefined) return `${grouped(least)} to ${grouped(most)}${words}`;
  if (least !== undefined) return `at least ${grouped(least)}${words}`;
  return most === undefined ? undefined : `at most ${grouped(most)}${words}`;
}

const code = (value) => html`<code>${typeof value === 'string' && value !== '' ? value : JSON.stringify(value)}</code>`;

// What a value must be besides its type: a list of markup.
function limits(schema) {
  const found = [
    schema.minLength === 1 && schema.maxLength === undefined ? 'not empty' : range(schema.minLength, schema.maxLength, 'characters'),
    range(schema.minItems, schema.maxItems, 'items'),
    range(schema.minimum, schema.maximum),
  ].filter(Boolean).map((words) => html`${words}`);
  if (schema.const !== undefined) found.push(html`always ${code(schema.const)}`);
  if (schema.enum) found.push(schema.enum.map((value, i) => html`${i ? ' or ' : ''}${code(value)}`));
  if (schema.default !== undefined) found.push(html`${code(schema.default)} if left out`);
  if (schema.pattern && schema.format !== 'date-time') found.push(html`<code class="pattern">${schema.pattern}</code>`);
  return found.map((one) => html`<span class="limit">${one}</span>`);
}

// One field with its type, limits, description and, below it, its own fields. `need` says when it is present.
export function field(name, raw, { need, asked, description, example, linkOf }) {
  const { schema, nullable } = nonNull(resolved(raw));
  const words = description ?? schema.description;
  const inner = schema.type === 'array' ? resolved(schema.items) : schema;
  return html`<li>
<p class="field"><code class="name">${name}</code> <span class="type">${typeName(schema)}${nullable ? ' or null' : ''}</span>
${need && html`<span class="need ${need}">${need}</span>`}${isEnumerated(schema) ? '' : limits(schema)}</p>
${words && html`<p>${inline(words, linkOf)}</p>`}
${example !== undefined && schema.const === undefined && html`<p class="example">Example: <code>${typeof example === 'string' ? example : JSON.stringify(example)}</code></p>`}
${fieldsOf(inner, { linkOf, asked })}
</li>`;
}

// A oneOf of constants, each with a description: the page lists those of problems in a section of its own.
const isEnumerated = (schema) => Boolean(schema.oneOf?.every((one) => one.const));

// The members of an object, or the alternatives of a oneOf. `asked` is true for a request, where required members
// are marked; in an answer, optional members are marked.
export function fieldsOf(raw, { linkOf, asked = false } = {}) {
  const schema = resolved(raw);
  if (schema.oneOf && !isEnumerated(schema) && schema.oneOf.some((one) => resolved(one).properties))
    return schema.oneOf.map((one) => html`<p class="one">${inline(resolved(one).description, linkOf)}</p>${fieldsOf(one, { linkOf, asked })}`);
  if (!schema.properties) return '';
  const needOf = (name) => (schema.required?.includes(name) ? asked && 'required' : !asked && 'optional') || undefined;
  return html`<ul class="fields">
${Object.entries(schema.properties).map(([name, member]) => field(name, member, { need: needOf(name), asked, linkOf }))}</ul>`;
}
