import type { Pair, Scalar } from 'yaml';
import { Document, isMap, isScalar, isSeq, visit } from 'yaml';
import { MASK } from '../mask.js';

/**
 * Checked values as YAML that can be read again, with the origin of each as a comment behind it. A
 * value that holds a masked secret is written as `!secret NAME`, since the mask would be taken for the
 * secret; the head says which secrets are missing.
 */
export function annotatedYaml(values: object, origins: ReadonlyMap<string, string>): string {
  const document = new Document(values);
  const secrets: string[] = [];
  visit(document, {
    Seq: (_, node) => {
      node.flow = true;
    },
    Scalar: (key, node, ancestors) => {
      if (typeof node.value !== 'string' || !node.value.includes(MASK)) return;
      const name = pathOf(ancestors).join('_').replace(/\W+/g, '_');
      const number = secrets.filter((known) => known.startsWith(name)).length;
      const unique = number === 0 ? name : `${name}_${number + 1}`;
      secrets.push(unique);
      // A comment would tear a list on one line apart.
      if (key === 'value') node.comment = ` ${[node.value, node.comment?.trim()].join(', ')}`;
      asSecret(node, unique);
    },
    Pair: (_, pair, ancestors) => {
      const { value } = pair;
      if (isMap(value) && value.items.length > 0) return;
      const origin = origins.get([...pathOf(ancestors), keyOf(pair)].join('.'));
      if (origin !== undefined && (isScalar(value) || isSeq(value) || isMap(value))) {
        value.comment = ` ${origin.replaceAll('\n', ' ')}`;
        if (isSeq(value) || isMap(value)) value.flow = true;
      }
    },
  });
  const text = document.toString({ lineWidth: 0 });
  if (secrets.length === 0) return text;
  const head = [
    'Secrets are not shown. To use this as a file, write them into secrets.yaml beside it:',
    ...secrets.map((name) => `  ${name}: …`),
  ];
  return `${head.map((line) => `# ${line}\n`).join('')}${text}`;
}

function asSecret(node: Scalar, name: string): void {
  node.value = name;
  node.tag = '!secret';
}

function pathOf(ancestors: readonly unknown[]): string[] {
  return ancestors.filter(isPair).map(keyOf);
}

function isPair(node: unknown): node is Pair {
  return typeof node === 'object' && node !== null && 'key' in node && 'value' in node;
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}
