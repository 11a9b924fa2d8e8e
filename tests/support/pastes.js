// The fenced texts below a heading of a page of ours, to be run as they stand.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './stack.js';

// Those of one language, below a heading of any level and before the next.
export function pastes(page, heading, language = 'sh') {
  const parts = readFileSync(join(repository, page), 'utf8').split(/^#+ (?=.*\n\n)/m);
  const part = parts.find((text) => text.startsWith(`${heading}\n`));
  if (part === undefined) throw new Error(`${page} has no heading "${heading}"`);
  return [...part.matchAll(/^```(.*)\n([^]*?)^```$/gm)].filter(([, of]) => of === language).map(([, , text]) => text);
}
