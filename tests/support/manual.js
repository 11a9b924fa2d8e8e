// The commands that READMEs and manuals have one run, so that tests run the same.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './stack.js';

// The ```sh blocks of a Markdown text, in order, or those of another language. A block within a list is given without its
// indentation.
export const fenced = (text, language = 'sh') => [...text.matchAll(/^( *)```(.*?)\n(.*?)^\1```$/gms)].filter(([, , of]) => of === language)
  .map(([, indent, , commands]) => commands.replaceAll(new RegExp(`^${indent}`, 'gm'), ''));

// Those of a document; of one section of it, if its heading is given with its #.
export function commandsOf(file, heading, language) {
  let text = readFileSync(join(repository, file), 'utf8');
  if (heading) text = text.split(`\n${heading}\n`)[1].split(/^##/m)[0];
  return fenced(text, language);
}
