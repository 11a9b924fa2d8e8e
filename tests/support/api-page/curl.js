// The curl commands for an operation: those in docs/openapi.yaml (x-codeSamples, which other tools
// read as well), or one made from its method, parameters and examples.

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

// {token} of /s/{token} is a link's secret; $TOKEN is the user's token.
const variable = (name) => (name === 'token' ? 'SECRET' : name.toUpperCase());

// The shell variables that the commands need, with a description of each: [[name, description]].
export function neededVariables(lines, { parameters }) {
  const source = lines.map((line) => line.source).join('\n');
  const known = {
    URL: 'the address of the public listener',
    INTERNAL: 'the address of the internal listener',
    EMAIL: 'what you log in with',
    PASSWORD: 'your password',
    TOKEN: 'an access token or an API token',
    REFRESH: 'a refresh token',
    CODE: 'what the authenticator shows',
  };
  for (const { name, in: where, description } of parameters)
    if (where !== 'header') known[variable(name)] = description.replace(/\.$/, '').replace(/^./, (c) => c.toLowerCase());
  const assigned = [...source.matchAll(/^(\w+)=/gm)].map(([, name]) => name);
  const used = [...new Set([...source.matchAll(/\$(\w+)/g)].map(([, name]) => name))];
  return used.filter((name) => !assigned.includes(name)).map((name) => [name, known[name]]);
}

function bodyOptions({ method, operation }) {
  const content = operation.requestBody?.content ?? {};
  const sent = content['application/json']?.example;
  if (sent !== undefined) return ["-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(sent))}`];
  const form = content['application/x-www-form-urlencoded']?.example;
  if (form) return Object.entries(form).map(([name, value]) => `--data-urlencode ${quoted(`${name}=${value}`)}`);
  if (content['multipart/form-data']) return ['-F file=@photo.jpg'];
  if (content['application/offset+octet-stream']) return ["-H 'Content-Type: application/offset+octet-stream'", '--data-binary @photo.jpg'];
  if (content['*/*']) return method === 'put' ? ['-T photo.jpg'] : ['--data-binary @photo.jpg'];
  return method === 'post' ? ["-d ''"] : [];
}

function generated(op) {
  const { path, method, inside, parameters, operation } = op;
  const required = (where) => parameters.filter((p) => p.required && p.in === where);
  const body = bodyOptions(op);
  const options = [
    ...(operation.security.some((way) => way.bearer) ? ['-H "Authorization: Bearer $TOKEN"'] : []),
    ...required('header').map(({ name, example }) => `-H ${quoted(`${name}: ${example}`)}`),
    ...body,
  ];
  if (!(method === 'get' || (method === 'post' && body.length) || body[0]?.startsWith('-T'))) options.unshift(`-X ${method.toUpperCase()}`);
  const target = path.replace(/\{(\w+)\}/g, (_, name) => `$${variable(name)}`);
  const query = required('query').map(({ name }, i) => `${i ? '&' : '?'}${name}=$${variable(name)}`).join('');
  return wrapped(['curl -sS', ...options, `"$${inside ? 'INTERNAL' : 'URL'}${target}${query}"`]);
}

// On one line if it fits, else an option a line.
function wrapped(words) {
  const line = words.join(' ');
  if (line.length <= 54) return line;
  const [program, ...rest] = words;
  const lines = [`${program} ${rest[0]}`, ...rest.slice(1).map((word) => `     ${word}`)];
  return lines.join(' \\\n');
}

export function curlLines(op) {
  const given = op.operation['x-codeSamples']?.filter((sample) => sample.lang === 'Shell');
  return given?.length ? given : [{ source: generated(op) }];
}
