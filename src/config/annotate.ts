import type { Pair } from 'yaml';
import { Document, isMap, isScalar, isSeq, visit } from 'yaml';
import type { Config } from './config.js';

/** The configuration as YAML, with the origin of each value as a comment behind it. */
export function annotatedYaml(config: Config, origins: ReadonlyMap<string, string>): string {
  const document = new Document(config);
  visit(document, {
    Seq: (_, node) => {
      node.flow = true;
    },
    Pair: (_, pair, ancestors) => {
      const { value } = pair;
      if (isMap(value) && value.items.length > 0) return;
      const path = [...ancestors.filter((node) => isPair(node)), pair].map(keyOf);
      const origin = origins.get(path.join('.'));
      if (origin !== undefined && (isScalar(value) || isSeq(value) || isMap(value))) {
        value.comment = ` ${origin.replaceAll('\n', ' ')}`;
        if (isSeq(value) || isMap(value)) value.flow = true;
      }
    },
  });
  return document.toString({ lineWidth: 0 });
}

function isPair(node: unknown): node is Pair {
  return typeof node === 'object' && node !== null && 'key' in node && 'value' in node;
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}
