import { createMasker, MASK, maskAddress, secretsInAddress } from '../../mask.js';
import type { Node, Section } from '../../schema/section.js';
import { isLeaf, isNamedItems } from '../../schema/section.js';
import type { Config } from '../config.js';
import { SCHEMA } from '../schema/schema.js';

type Values = Readonly<Record<string, unknown>>;

/** The configuration with its secrets masked: fit to be printed and published. */
export function redactConfig(config: Config): Config {
  const mask = createMasker(REMEMBERED.get(config) ?? []);
  return redactSection(SCHEMA, config, mask) as Config;
}

type Mask = (text: string) => string;

function redactSection(section: Section, values: Values, mask: Mask): Values {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const node = section[name];
      return [name, node === undefined ? value : redactNode(node, value, mask)];
    }),
  );
}

function redactNode(node: Node, value: unknown, mask: Mask): unknown {
  if (isLeaf(node)) {
    if (value === null || value === undefined) return value;
    if (node.sensitive) return MASK;
    return redactTexts(value, node.address ? (text) => mask(maskAddress(text)) : mask);
  }
  if (!isNamedItems(node)) return redactSection(node, value as Values, mask);
  return Object.fromEntries(
    Object.entries(value as Values).map(([name, item]) => [
      name,
      redactNode(node.item, item, mask),
    ]),
  );
}

function redactTexts(value: unknown, mask: Mask): unknown {
  if (Array.isArray(value)) return value.map((item) => redactTexts(item, mask));
  return typeof value === 'string' ? mask(value) : value;
}

/** Texts that a configuration took from elsewhere and that must not be shown, whatever key has them. */
const REMEMBERED = new WeakMap<Config, readonly string[]>();

/** Keeps such texts with a configuration: {@link secretsOf} and {@link redactConfig} know them. */
export function rememberSecrets(config: Config, texts: Iterable<string>): void {
  REMEMBERED.set(config, [...texts]);
}

/** Every secret of the configuration, for masking logs. */
export function secretsOf(config: Config): readonly string[] {
  return [...new Set([...secretsIn(SCHEMA, config), ...(REMEMBERED.get(config) ?? [])])];
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
