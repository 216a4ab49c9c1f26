import type { Document, ErrorCode, Node } from 'yaml';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { ConfigProblem } from '../check/problem.js';
import { RESERVED_NAMES } from './layer.js';

/** Contents of a configuration file. */
export interface ParsedFile {
  readonly values: Readonly<Record<string, unknown>>;
  /** Line of a key or list item, counted from 1; the nearest line that is known for an unknown path. */
  lineOf(path: readonly string[]): number;
  readonly problems: readonly ConfigProblem[];
}

export const MAX_FILE_BYTES = 1_000_000;
const MAX_VALUES = 50_000;
const MAX_ALIASES = 100;
const MAX_DEPTH = 20;

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
  TAG_RESOLVE_FAILED: 'this tag is not known',
  UNEXPECTED_TOKEN: 'this is not expected here; is a ":" or a quote missing',
};

/** Reads YAML 1.2 (of which JSON is a part). Never throws: what is wrong comes as problems. */
export function parseConfigFile(file: string, contents: string): ParsedFile {
  const counter = new LineCounter();
  const document = parseDocument(contents, {
    lineCounter: counter,
    prettyErrors: false,
    strict: true,
    uniqueKeys: false,
    version: '1.2',
  });
  const lineAt = (offset: number) => Math.max(1, counter.linePos(offset).line);
  const syntax = [...document.errors, ...document.warnings].map((error) => ({
    where: `${file}:${lineAt(error.pos[0])}`,
    key: '',
    message: SYNTAX[error.code],
  }));
  // After a syntax error the rest is guesswork; its problems would mislead.
  if (syntax.length > 0) return { values: {}, lineOf: () => 1, problems: syntax };
  return new TreeReader(file, document, lineAt).read();
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
  ) {}

  read(): ParsedFile {
    const { contents } = this.document;
    const empty = contents === null || (isScalar(contents) && contents.value === null);
    const value = empty ? {} : this.#value(contents, []);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
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
    if (isMap(node)) return this.#map(node.items, path);
    if (isSeq(node)) return node.items.map((item, index) => this.#item(item, path, String(index)));
    return isScalar(node) ? node.value : null;
  }

  #alias(node: Node, path: readonly string[]): unknown {
    this.#aliases -= 1;
    if (this.#aliases < 0) {
      if (this.#aliases === -1) this.#report(path, node, `expected at most ${MAX_ALIASES} aliases`);
      return null;
    }
    const target = isAlias(node) ? node.resolve(this.document) : undefined;
    if (target === undefined) {
      this.#report(path, node, 'no anchor of this name stands before');
      return null;
    }
    return this.#value(target, path);
  }

  #item(node: unknown, path: readonly string[], name: string): unknown {
    const itemPath = [...path, name];
    this.#remember(itemPath, node);
    return this.#value(node, itemPath);
  }

  #map(pairs: readonly { key: unknown; value: unknown }[], path: readonly string[]): unknown {
    const result: Record<string, unknown> = {};
    for (const { key, value } of pairs) {
      const name = isScalar(key) && typeof key.value !== 'object' ? String(key.value) : null;
      if (name === null) {
        this.#report(path, key, 'expected a key of plain text');
        continue;
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
    return result;
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

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isRecord ? Object.fromEntries(Object.entries(value)) : {};
}
