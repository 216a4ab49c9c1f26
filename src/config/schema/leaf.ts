import type convict from 'convict';
import type { Format } from './formats.js';

/** A key: convict's declaration, and what this program wants to know besides. */
export interface Leaf<T> extends convict.SchemaObj<T> {
  readonly kind: 'leaf';
  readonly default: T | null;
  readonly doc: string;
  readonly format: (value: unknown) => void;
  readonly type: Format<unknown>;
  /** Never shown. */
  readonly sensitive: boolean;
  /** Shown with its user name and password masked. */
  readonly address: boolean;
  /** A relative path starts from the folder of the file that has it. */
  readonly path: boolean;
  /** Must be given: there is no default. */
  readonly required: boolean;
  /** Absent unless it is given. */
  readonly optional: boolean;
}

/** A section whose keys the user names; convict does not look below it, so each item is checked alone. */
export interface NamedItems<T> {
  readonly kind: 'items';
  readonly doc: string;
  readonly names: Format<string>;
  readonly item: Section<T> | Leaf<T>;
  /** Commented-out YAML that shows a typical item. */
  readonly example: string;
}

export type Node = Leaf<unknown> | NamedItems<unknown> | AnySection;

/** Declares every key of T. */
export type Section<T> = {
  readonly [K in keyof T]-?: Leaf<T[K]> | Leaf<T[K] | null> | NamedItems<unknown> | Section<T[K]>;
};

/** A section without knowledge of its keys, for walking. */
export interface AnySection {
  readonly [key: string]: Node;
}

interface LeafOptions {
  readonly sensitive?: boolean;
  readonly address?: boolean;
  readonly path?: boolean;
}

/** A key with a default. */
export function key<T>(
  type: Format<T>,
  defaultValue: NoInfer<T>,
  doc: string,
  options: LeafOptions = {},
): Leaf<T> {
  return declare(type, defaultValue, doc, options);
}

/** A key that must be given. */
export function required<T>(type: Format<T>, doc: string): Leaf<T> {
  return { ...declare<T>(type, null, doc, {}), required: true };
}

/** A key that is absent unless it is given. */
export function optional<T>(type: Format<T>, doc: string): Leaf<T | undefined> {
  return { ...declare<T>(type, null, doc, {}), default: undefined as never, optional: true };
}

function declare<T>(type: Format<T>, value: T | null, doc: string, options: LeafOptions): Leaf<T> {
  return {
    kind: 'leaf',
    default: value,
    doc,
    type,
    format(candidate) {
      const fault = type.fault(candidate);
      if (fault !== null) throw new TypeError(`expected ${fault.expected}`);
    },
    sensitive: false,
    address: false,
    path: false,
    required: false,
    optional: false,
    ...options,
  };
}

export function isLeaf(node: Node): node is Leaf<unknown> {
  return node.kind === 'leaf';
}

export function isNamedItems(node: Node): node is NamedItems<unknown> {
  return node.kind === 'items';
}
