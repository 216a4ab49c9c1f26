import type { Format } from './format.js';
import { nullable } from './format.js';

/** A key: its default, its check and its documentation. */
export interface Leaf<T> {
  readonly kind: 'leaf';
  /** Undefined for a key that is absent unless it is given, null for one that must be given. */
  readonly default: unknown;
  readonly doc: string;
  /** What is accepted in a file. */
  readonly type: Format<unknown>;
  /** Never shown. */
  readonly sensitive: boolean;
  /** Shown with what may be secret in it masked. */
  readonly address: boolean;
  /** A relative path starts from the folder of the file that has it. */
  readonly path: boolean;
  /** Must be given: there is no default. */
  readonly required: boolean;
  /** Absent unless it is given. */
  readonly optional: boolean;
  /** Never set; carries the type of the value that the program gets. */
  readonly value?: T;
}

/** A key that is absent unless it is given. */
export interface OptionalLeaf<T> extends Leaf<T> {
  readonly optional: true;
}

/** A section whose keys the user names. */
export interface NamedItems<I extends Node = Node> {
  readonly kind: 'items';
  readonly doc: string;
  readonly names: Format<string>;
  readonly item: I;
  /** Commented-out YAML that shows a typical item. */
  readonly example: string;
  /** In a file they may also be a list, each with its `name` or without any. */
  readonly isListed?: boolean;
}

export type Node = Leaf<unknown> | NamedItems | Section;

/** Keys and what they declare. */
export interface Section {
  readonly [key: string]: Node;
}

/** The value that a node of the schema has in the checked configuration. */
export type ValueOf<N> =
  N extends Leaf<infer T>
    ? T
    : N extends NamedItems<infer I>
      ? { readonly [name: string]: ValueOf<I> }
      : SectionValue<N>;

type OptionalKeys<S> = {
  [K in keyof S]: S[K] extends OptionalLeaf<unknown> ? K : never;
}[keyof S];

type SectionValue<S> = Flat<
  { readonly [K in Exclude<keyof S, OptionalKeys<S>>]: ValueOf<S[K]> } & {
    readonly [K in OptionalKeys<S>]?: ValueOf<S[K]>;
  }
>;

type Flat<T> = { [K in keyof T]: T[K] };

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
  return { ...BARE, default: defaultValue, type, doc, ...options };
}

/** A key with the default null, which stands for a value that the program finds on the machine. */
export function derived<T>(type: Format<T>, doc: string, options: LeafOptions = {}): Leaf<T> {
  return { ...BARE, type: nullable(type), doc, ...options };
}

/** A key that must be given. */
export function required<T>(type: Format<T>, doc: string): Leaf<T> {
  return { ...BARE, type, doc, required: true };
}

/** A key that is absent unless it is given. */
export function optional<T>(type: Format<T>, doc: string): OptionalLeaf<T> {
  return { ...BARE, default: undefined, type, doc, optional: true };
}

/** The same keys, each absent unless it is given. */
export function optionalKeys(section: Section): Section {
  return Object.fromEntries(
    Object.entries(section).map(([name, node]) => {
      if (isNamedItems(node)) return [name, node];
      if (!isLeaf(node)) return [name, optionalKeys(node)];
      return [name, { ...node, default: undefined, required: false, optional: true }];
    }),
  );
}

/** A section whose keys the user names; `names` says which names are accepted. */
export function items<const I extends Node>(
  item: I,
  about: Omit<NamedItems<I>, 'kind' | 'item'>,
): NamedItems<I> {
  return { kind: 'items', item, ...about };
}

const BARE = {
  kind: 'leaf',
  default: null,
  sensitive: false,
  address: false,
  path: false,
  required: false,
  optional: false,
} as const;

export function isLeaf(node: Node): node is Leaf<unknown> {
  return node.kind === 'leaf';
}

export function isNamedItems(node: Node): node is NamedItems {
  return node.kind === 'items';
}
