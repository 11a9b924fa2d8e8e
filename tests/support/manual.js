// The commands that READMEs and manuals have one run, so that tests run the same.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './stack.js';

// The ```sh blocks of a document, in order, or those of another language; of one section, if its heading is given with
// its #. A block within a list is given without its indentation.
export function commandsOf(file, heading, language = 'sh') {
  let text = readFileSync(join(repository, file), 'utf8');
  if (heading) text = text.split(`\n${heading}\n`)[1].split(/^##/m)[0];
  return [...text.matchAll(/^( *)```(.*?)\n(.*?)^\1```$/gms)].filter(([, , of]) => of === language)
    .map(([, indent, , commands]) => commands.replaceAll(new RegExp(`^${indent}`, 'gm'), ''));
}
