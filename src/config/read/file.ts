import type { Document, ErrorCode, Node, Pair, Scalar, ScalarTag } from 'yaml';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { ConfigProblem } from '../check/problem.js';
import { RESERVED_NAMES } from './layer.js';
import {
  expandVariables,
  holdsReference,
  NO_REFERENCES,
  Referenced,
  type ReferenceFault,
  type References,
  UNRESOLVED,
} from './references.js';

/** Contents of a configuration file. */
export interface ParsedFile {
  readonly values: Readonly<Record<string, unknown>>;
  /** Line of a key or list item, counted from 1; the nearest line that is known for an unknown path. */
  lineOf(path: readonly string[]): number;
  readonly problems: readonly ConfigProblem[];
}

export const MAX_FILE_BYTES = 1_000_000;
const MAX_VALUES = 50_000;
/** The library looks for each of them through the file; what they make of it is bounded by the values. */
const MAX_ALIASES = 2000;
const MAX_DEPTH = 20;
const TOO_MANY_ALIASES = `expected at most ${MAX_ALIASES} aliases`;

/** The library's own messages quote the file, which may hold a password. */
const SYNTAX: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: 'an alias cannot have a tag or an anchor',
  BAD_ALIAS: 'this alias or anchor is not written correctly',
  BAD_COLLECTION_TYPE: 'this tag does not fit the value',
  BAD_DIRECTIVE: 'this % directive is not known',
  BAD_DQ_ESCAPE: 'this \\ escape in double quotes is not known; single quotes need none',
  BAD_INDENT: 'the indentation does not fit the lines above',
  BAD_PROP_ORDER: 'anchors and tags must come after the indicator',
  BAD_SCALAR_START: 'text that begins with this character must be quoted',
  BLOCK_AS_IMPLICIT_KEY:
    'a key is nested on the line of another; put it on its own line or quote the value',
  BLOCK_IN_FLOW: 'an indented block cannot stand inside { } or [ ]',
  DUPLICATE_KEY: 'this key stands here twice',
  IMPOSSIBLE: 'this is not YAML',
  KEY_OVER_1024_CHARS: 'this key is too long',
  MISSING_CHAR: 'something that was opened before (a quote, a bracket) is not closed here',
  MULTILINE_IMPLICIT_KEY: 'a key must stand on one line; is a ":" or a quote missing',
  MULTIPLE_ANCHORS: 'a value can have one anchor',
  MULTIPLE_DOCS: 'the file holds several documents (---); one is expected',
  MULTIPLE_TAGS: 'a value can have one tag',
  NON_STRING_KEY: 'a key must be text',
  RESOURCE_EXHAUSTION: 'the file is nested too deeply',
  TAB_AS_INDENT: 'a tab stands where spaces are expected',
  TAG_RESOLVE_FAILED: `this tag is not known; !secret NAME takes a text from secrets.yaml, \${NAME} one from the environment`,
  UNEXPECTED_TOKEN: 'this is not expected here; is a ":" or a quote missing',
};

const NOT_CLOSED =
  'a { or [ above is not closed, or what stands between does not begin further right';

/** The library takes a bracket that is never closed for one whose end stands too far left. */
function isOpen(message: string): boolean {
  return /must be sufficiently indented and end with a [}\]]/.test(message);
}

const SECRET_TAG = '!secret';

const SECRET: ScalarTag = { tag: SECRET_TAG, resolve: (text) => text };

/**
 * Reads YAML 1.2 (of which JSON is a part), with the merge key `<<` of YAML 1.1 and with references to
 * variables and secrets. Never throws: what is wrong comes as problems.
 */
export function parseConfigFile(
  file: string,
  contents: string,
  references: References = NO_REFERENCES,
): ParsedFile {
  const counter = new LineCounter();
  const document = parseDocument(contents, {
    lineCounter: counter,
    prettyErrors: false,
    strict: true,
    uniqueKeys: false,
    version: '1.2',
    customTags: [SECRET],
  });
  const lineAt = (offset: number) => Math.max(1, counter.linePos(offset).line);
  // Tags that are not known are told of where they stand.
  const odd = document.warnings.filter(({ code }) => code !== 'TAG_RESOLVE_FAILED');
  const syntax = [...document.errors, ...odd].map((error) => ({
    where: `${file}:${lineAt(error.pos[0])}`,
    key: '',
    message: isOpen(error.message) ? NOT_CLOSED : SYNTAX[error.code],
  }));
  // After a syntax error the rest is guesswork; its problems would mislead.
  if (syntax.length > 0) return { values: {}, lineOf: () => 1, problems: syntax };
  return new TreeReader(file, document, lineAt, references).read();
}

/** Turns the document into plain values and remembers lines. */
class TreeReader {
  readonly #lines = new Map<string, number>();
  readonly #problems: ConfigProblem[] = [];
  #budget = MAX_VALUES;
  #aliases = MAX_ALIASES;

  constructor(
    private readonly file: string,
    private readonly document: Document,
    private readonly lineAt: (offset: number) => number,
    private readonly references: References,
  ) {}

  read(): ParsedFile {
    const { contents } = this.document;
    const empty = contents === null || (isScalar(contents) && contents.value === null);
    const value = empty ? {} : this.#value(contents, []);
    if (
      typeof value !== 'object' ||
      value === null ||
      Array.isArray(value) ||
      value instanceof Referenced
    ) {
      this.#report([], contents, 'expected keys with values, e.g. "mqtt: { url: null }"');
    }
    const exhausted = this.#budget < 0 || this.#aliases < 0;
    const values = exhausted ? {} : asRecord(value);
    return { values, lineOf: (path) => this.#lineOf(path), problems: this.#problems };
  }

  #value(node: unknown, path: readonly string[]): unknown {
    this.#budget -= 1;
    if (this.#budget < 0) {
      if (this.#budget === -1) this.#report(path, node, `expected at most ${MAX_VALUES} values`);
      return null;
    }
    if (path.length > MAX_DEPTH) {
      this.#report(path, node, `expected at most ${MAX_DEPTH} levels`);
      return null;
    }
    if (isAlias(node)) return this.#alias(node, path);
    const tag = foreignTag(node);
    if (tag !== null) {
      this.#report(path, node, tag);
      return UNRESOLVED;
    }
    if (isMap(node)) return this.#map(node.items, path);
    if (isSeq(node)) return node.items.map((item, index) => this.#item(item, path, String(index)));
    return isScalar(node) ? this.#scalar(node, path) : null;
  }

  #scalar(node: Scalar, path: readonly string[]): unknown {
    const { value, tag } = node;
    if (typeof value !== 'string') return value;
    if (tag === SECRET_TAG) {
      const text = this.references.secret(value);
      return typeof text === 'string'
        ? new Referenced(text, [text], true)
        : this.#unresolved(text, node, path);
    }
    if (!holdsReference(value)) return value;
    const expanded = expandVariables(value, (name) => this.references.variable(name));
    return expanded instanceof Referenced ? expanded : this.#unresolved(expanded, node, path);
  }

  #unresolved(found: ReferenceFault | null, node: Node, path: readonly string[]): unknown {
    if (found !== null) this.#report(path, node, found.fault);
    return UNRESOLVED;
  }

  #alias(node: Node, path: readonly string[]): unknown {
    this.#aliases -= 1;
    if (this.#aliases < 0) {
      if (this.#aliases === -1) this.#report(path, node, TOO_MANY_ALIASES);
      return null;
    }
    const target = isAlias(node) ? node.resolve(this.document) : undefined;
    if (target === undefined) {
      this.#report(path, node, 'no anchor of this name stands before');
      return UNRESOLVED;
    }
    return this.#value(target, path);
  }

  #item(node: unknown, path: readonly string[], name: string): unknown {
    const itemPath = [...path, name];
    this.#remember(itemPath, node);
    return this.#value(node, itemPath);
  }

  #map(pairs: readonly Pair[], path: readonly string[]): unknown {
    const result: Record<string, unknown> = {};
    const merges: Pair[] = [];
    for (const pair of pairs) {
      const { key, value } = pair;
      if (isMergeKey(key)) merges.push(pair);
      else this.#pair(key, value, path, result);
    }
    // What a mapping says itself goes before what it merges, wherever it stands.
    for (const { key, value } of merges) this.#merge(key, value, path, result);
    return result;
  }

  #pair(
    key: unknown,
    value: unknown,
    path: readonly string[],
    result: Record<string, unknown>,
  ): void {
    const name = isScalar(key) && typeof key.value !== 'object' ? String(key.value) : null;
    if (name === null) {
      this.#report(path, key, 'expected a key of plain text');
      return;
    }
    const keyPath = [...path, name];
    if (RESERVED_NAMES.has(name)) {
      this.#report(keyPath, key, 'this name is reserved');
    } else if (Object.hasOwn(result, name)) {
      this.#report(keyPath, key, `this key stands twice, first in line ${this.#lineOf(keyPath)}`);
    } else {
      this.#remember(keyPath, key);
      result[name] = this.#value(value, keyPath);
    }
  }

  /** `<<: *anchor` or `<<: [*first, *second]`: keys that are not there yet; earlier mappings go first. */
  #merge(
    key: unknown,
    value: unknown,
    path: readonly string[],
    result: Record<string, unknown>,
  ): void {
    for (const source of isSeq(value) ? value.items : [value]) {
      this.#aliases -= 1;
      if (this.#aliases < 0) {
        if (this.#aliases === -1) this.#report(path, key, TOO_MANY_ALIASES);
        return;
      }
      const target = isAlias(source) ? source.resolve(this.document) : source;
      if (!isMap(target)) {
        this.#report(path, key, 'expected << with a mapping, e.g. "<<: *anchor"');
        continue;
      }
      const merges: Pair[] = [];
      for (const pair of target.items) {
        if (isMergeKey(pair.key)) merges.push(pair);
        else if (!isScalar(pair.key) || !Object.hasOwn(result, String(pair.key.value))) {
          this.#pair(pair.key, pair.value, path, result);
        }
      }
      for (const pair of merges) this.#merge(pair.key, pair.value, path, result);
    }
  }

  #remember(path: readonly string[], node: unknown): void {
    const line = this.#lineOfNode(node);
    if (line !== null) this.#lines.set(path.join('\0'), line);
  }

  #lineOfNode(node: unknown): number | null {
    const ranged = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node);
    return ranged && node.range ? this.lineAt(node.range[0]) : null;
  }

  #lineOf(path: readonly string[]): number {
    for (let length = path.length; length > 0; length--) {
      const line = this.#lines.get(path.slice(0, length).join('\0'));
      if (line !== undefined) return line;
    }
    return 1;
  }

  #report(path: readonly string[], node: unknown, message: string): void {
    const line = this.#lineOfNode(node) ?? this.#lineOf(path);
    this.#problems.push({ where: `${this.file}:${line}`, key: path.join('.'), message });
  }
}

/** What to do in place of a tag that is not known here; null where there is none. */
function foreignTag(node: unknown): string | null {
  const { tag } = isScalar(node) || isMap(node) || isSeq(node) ? node : {};
  if (tag === undefined || !tag.startsWith('!') || tag === SECRET_TAG) return null;
  if (/^!include/i.test(tag)) {
    return 'there is no !include; what stands in conf.d beside the file is read as well, and `--config` can be repeated';
  }
  return SYNTAX.TAG_RESOLVE_FAILED;
}

function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.value === '<<' && key.type === 'PLAIN';
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isRecord ? Object.fromEntries(Object.entries(value)) : {};
}
