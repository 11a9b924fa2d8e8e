// Text of a YAML file that its parser cuts off without an error, as lines "FILE:LINE: …".
//
// In {…} a plain scalar ends at a comma, and the rest becomes a key without a value; anywhere, it ends at " #" (what follows one word is taken for a comment).
import { readFileSync } from 'node:fs';
import { LineCounter, isScalar, parseAllDocuments, visit } from 'yaml';

export function yamlCuts(file, text = readFileSync(file, 'utf8')) {
  const lines = new LineCounter();
  const found = [];
  const report = (node, what) => found.push(`${file}:${lines.linePos(node.range[0]).line}: ${what}`);
  for (const document of parseAllDocuments(text, { lineCounter: lines }))
    visit(document, {
      Map: (_, map) => {
        if (map.flow) for (const { key, value } of map.items) if (isScalar(key) && (value === null || (value.value === null && value.source === ''))) report(key, `"${key.value}" has no value; quote the text before it if the comma belongs to it`);
      },
      Scalar: (_, scalar) => {
        if (scalar.type === 'PLAIN' && /\s/.test(scalar.value) && scalar.comment) report(scalar, `"#${scalar.comment}" is cut off; quote the text`);
      },
    });
  return found;
}
