import type { Kind } from '../../schema/format.js';
import type { Leaf, NamedItems } from '../../schema/section.js';
import { isLeaf } from '../../schema/section.js';

/**
 * Reads a text as the type of its key: numbers, true and false where the key takes them; lists are
 * JSON or separated by commas; sections with names of the user's own are JSON objects.
 */
export function readTyped(text: string, node: Leaf<unknown> | NamedItems): unknown {
  if (!isLeaf(node)) return readJson(text, 'a JSON object, e.g. {"front":{"source":"libcamera"}}');
  const { kinds } = node.type;
  const has = (kind: Kind) => kinds.includes(kind);
  // A password may read null, true or 123.
  if (node.sensitive) return text;
  if (has('null') && text === 'null') return null;
  if (has('boolean') && /^(true|yes|on|1)$/i.test(text)) return true;
  if (has('boolean') && /^(false|no|off|0)$/i.test(text)) return false;
  if (has('number') && /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)) return Number(text);
  if (has('list') && text.trimStart().startsWith('[')) return readJson(text, 'a JSON list');
  if (has('list') && !has('text')) return splitList(text);
  if (has('list') && node.type.faults(text).length > 0) return splitList(text);
  return text;
}

function splitList(text: string): unknown[] {
  return text.split(',').map((item) => numberIn(item.trim()));
}

/** The number that a text is, or the text. */
export function numberIn(text: string): number | string {
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

/** The parser's own message would quote the text. */
function readJson(text: string, expected: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return new SyntaxError(`expected ${expected}; found text that is not JSON`);
  }
}
