import convict from 'convict';
import { codedError, messageOf } from '../../errors.js';
import { keysOf } from '../schema/keys.js';
import type { AnySection, NamedItems } from '../schema/leaf.js';
import { isLeaf, isNamedItems } from '../schema/leaf.js';
import { place } from './environment.js';
import type { Merged } from './layer.js';
import { pathKey } from './layer.js';

type ConvictNode = convict.SchemaObj<unknown> | { [key: string]: ConvictNode };

/**
 * Lays the checked values over the schema's defaults. convict checks every section once more, in its
 * strict mode; since it does not look below a section with names of the user's own, each item of
 * such a section is a configuration of its own. Names may hold dots, which convict takes for paths,
 * so they never reach it.
 */
export function resolveSection(
  schema: AnySection,
  merged: Merged,
  path: readonly string[] = [],
): Record<string, unknown> {
  const instance = convict<unknown>(convictSchema(schema) as convict.Schema<unknown>, {
    env: {},
    args: [],
  });
  const keys = keysOf(schema);
  for (const { path: below, dotted } of keys) {
    const assigned = merged.assignments.get(pathKey([...path, ...below]));
    if (assigned !== undefined && 'value' in assigned) instance.set(dotted, assigned.value);
  }
  validate(instance, path);
  const values = instance.getProperties() as Record<string, unknown>;
  for (const { path: below, node } of keys) {
    if (isNamedItems(node)) place(values, below, resolveItems(node, merged, [...path, ...below]));
  }
  return values;
}

function resolveItems(
  items: NamedItems<unknown>,
  merged: Merged,
  path: readonly string[],
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const { path: itemPath, value } of merged.assignments.values()) {
    const name = itemPath.at(-1);
    if (name === undefined || pathKey(itemPath.slice(0, -1)) !== pathKey(path)) continue;
    const item = items.item as AnySection;
    result[name] = isLeaf(item) ? value : definedOnly(resolveSection(item, merged, itemPath));
  }
  return result;
}

/** Keys that are optional and were not given are absent, not undefined. */
function definedOnly(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function convictSchema(section: AnySection): ConvictNode {
  return Object.fromEntries(
    Object.entries(section).map(([name, node]) => {
      if (isLeaf(node)) return [name, node];
      return [name, isNamedItems(node) ? { default: {}, format: Object } : convictSchema(node)];
    }),
  );
}

function validate(instance: convict.Config<unknown>, path: readonly string[]): void {
  try {
    instance.validate({ allowed: 'strict' });
  } catch (error) {
    // Every value was checked by the same formats before: this is a defect of the schema. The
    // message of convict may hold values, so only its keys are told.
    const keys = messageOf(error)
      .split('\n')
      .map((line) => line.split(':')[0]);
    throw codedError('MND_INTERNAL', {
      subject: `the schema${path.length === 0 ? '' : ` of ${path.join('.')}`}`,
      found: `values that do not fit: ${keys.join(', ')}`,
    });
  }
}
