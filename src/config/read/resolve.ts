import convict from 'convict';
import { codedError, messageOf } from '../../errors.js';
import type { Leaf, NamedItems, Section } from '../../schema/section.js';
import { isLeaf, isNamedItems } from '../../schema/section.js';
import { keysOf } from '../schema/keys.js';
import { place } from './environment.js';
import type { Merged } from './layer.js';
import { pathKey } from './layer.js';

type ConvictNode = convict.SchemaObj<unknown> | { [key: string]: ConvictNode };

/**
 * Lays the checked values over the schema's defaults. This is convict's part: it holds the defaults,
 * takes the values and checks all of them in its strict mode, by the formats of the schema. It tells
 * neither lines nor all faults of a list, so faults of the user's are found before, as layers are
 * merged. Since it does not look below a section with names of the user's own, each item of such a
 * section is a configuration of its own. Names may hold dots, which convict takes for paths, so they
 * never reach it.
 */
export function resolveSection(
  schema: Section,
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
  items: NamedItems,
  merged: Merged,
  path: readonly string[],
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const { path: itemPath, value } of merged.assignments.values()) {
    const name = itemPath.at(-1);
    if (name === undefined || pathKey(itemPath.slice(0, -1)) !== pathKey(path)) continue;
    const { item } = items;
    if (isLeaf(item)) result[name] = value;
    else if (!isNamedItems(item))
      result[name] = definedOnly(resolveSection(item, merged, itemPath));
  }
  return result;
}

/** Keys that are optional and were not given are absent, not undefined. */
function definedOnly(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function convictSchema(section: Section): ConvictNode {
  return Object.fromEntries(
    Object.entries(section).map(([name, node]) => {
      if (isLeaf(node)) return [name, convictKey(node)];
      return [name, isNamedItems(node) ? { default: {}, format: Object } : convictSchema(node)];
    }),
  );
}

function convictKey({ default: value, doc, type }: Leaf<unknown>): convict.SchemaObj<unknown> {
  return {
    default: value,
    doc,
    format(candidate: unknown) {
      const [fault] = type.faults(candidate);
      if (fault !== undefined) throw new TypeError(`expected ${fault.expected}`);
    },
  };
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
