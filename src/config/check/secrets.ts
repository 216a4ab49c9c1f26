import { MASK, maskAddress, secretsInAddress } from '../../mask.js';
import type { Node, Section } from '../../schema/section.js';
import { isLeaf, isNamedItems } from '../../schema/section.js';
import type { Config } from '../config.js';
import { SCHEMA } from '../schema/schema.js';

type Values = Readonly<Record<string, unknown>>;

/** The configuration with its secrets masked: fit to be printed and published. */
export function redactConfig(config: Config): Config {
  return redactSection(SCHEMA, config) as Config;
}

function redactSection(section: Section, values: Values): Values {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const node = section[name];
      return [name, node === undefined ? value : redactNode(node, value)];
    }),
  );
}

function redactNode(node: Node, value: unknown): unknown {
  if (isLeaf(node)) {
    if (value === null || value === undefined) return value;
    if (node.sensitive) return MASK;
    return node.address ? redactAddresses(value) : value;
  }
  if (!isNamedItems(node)) return redactSection(node, value as Values);
  return Object.fromEntries(
    Object.entries(value as Values).map(([name, item]) => [name, redactNode(node.item, item)]),
  );
}

function redactAddresses(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redactAddresses);
  return typeof value === 'string' ? maskAddress(value) : value;
}

/** Every secret of the configuration, for masking logs. */
export function secretsOf(config: Config): readonly string[] {
  return [...new Set(secretsIn(SCHEMA, config))];
}

function secretsIn(node: Node, value: unknown): readonly string[] {
  if (value === null || value === undefined) return [];
  if (isLeaf(node)) {
    const texts = [value].flat().filter((item) => typeof item === 'string');
    if (node.sensitive) return texts;
    return node.address ? texts.flatMap(secretsInAddress) : [];
  }
  return Object.entries(value as Values).flatMap(([name, below]) => {
    const inner = isNamedItems(node) ? node.item : node[name];
    return inner === undefined ? [] : secretsIn(inner, below);
  });
}
