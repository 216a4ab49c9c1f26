import { isDeepStrictEqual } from 'node:util';
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  parseDocument,
  type Scalar,
  visit,
} from 'yaml';
import { codedError } from '../../errors.js';

type Path = readonly string[];

const SECRET = { tag: '!secret', resolve: (text: string) => text };
const HEADER = [
  ' Configuration of mobilenetd, written by `mobilenetd setup`, which can be run again: what',
  ' stands here is its default then. Every key is in docs/configure.md; look for mistakes with',
  ' `mobilenetd config --check`.',
].join('\n');

/**
 * A configuration file while it is being changed: comments, order and keys that nobody asked about
 * stay. Nothing is written here.
 */
export class Draft {
  readonly #document: Document;
  readonly #before: string | null;
  readonly #secrets = new Map<string, string>();
  readonly #changed = new Set<string>();

  /** @param before text of the file, which must be without mistakes; null where there is none */
  constructor(before: string | null) {
    this.#before = before;
    this.#document = parse(before ?? '');
    const { contents } = this.#document;
    if (contents === null || (isScalar(contents) && contents.value === null)) {
      const comment = this.#document.commentBefore ?? contents?.commentBefore ?? null;
      this.#document.contents = this.#document.createNode({});
      if (comment !== null) this.#document.commentBefore = comment;
    }
    if (before === null) this.#document.commentBefore = HEADER;
  }

  /** Whether there was no file: then what was asked is written even where it is the default. */
  get isNew(): boolean {
    return this.#before === null;
  }

  /** What stands at a path, as plain values; undefined where nothing does. */
  get(path: Path): unknown {
    let value: unknown = this.#document.toJS({ maxAliasCount: 100 });
    for (const name of path) {
      if (typeof value !== 'object' || value === null) return undefined;
      value = Reflect.get(value, name);
    }
    return value;
  }

  /** Writes a value, with a comment above a key that is new; what stands there already stays as it is. */
  set(path: Path, value: unknown, comment?: string): void {
    if (this.get(path) !== undefined && isDeepStrictEqual(this.get(path), value)) return;
    const isNewSection = !this.#document.hasIn(path.slice(0, 1));
    this.#makeRoom(path);
    const isNew = !this.#document.hasIn(path);
    const old = this.#document.getIn(path, true);
    const node = this.#document.createNode(value);
    visit(node, {
      Seq(_key, list) {
        list.flow = list.items.every((item) => isScalar(item));
      },
    });
    if (isScalar(node) && isScalar(old)) keepComments(old, node);
    this.#document.setIn(path, node);
    if (isNew && comment !== undefined) this.#commentOn(path, comment);
    if (isNewSection) this.#separate(path[0]);
    this.#changed.add(path.join('.'));
  }

  remove(path: Path): void {
    // The library throws where a section above is missing.
    if (this.#document.hasIn(path) && this.#document.deleteIn(path)) {
      this.#changed.add(path.join('.'));
    }
  }

  /** A file of its own for a secret, which is written with the configuration. */
  keepSecret(file: string, text: string): void {
    this.#secrets.set(file, `${text}\n`);
    this.#changed.add(file);
  }

  /** Text by absolute path. */
  get secrets(): ReadonlyMap<string, string> {
    return this.#secrets;
  }

  /** Dotted keys and files that are no longer what they were. */
  get changed(): readonly string[] {
    return [...this.#changed];
  }

  text(): string {
    if (this.#before !== null && this.#changed.size === 0) return this.#before;
    const text = this.#document.toString({ lineWidth: 0 });
    return /\[ +[^# ]/.test(this.#before ?? '') ? text : closeBrackets(text);
  }

  /** Makes the sections above a path; an alias or a text there is the user's own business. */
  #makeRoom(path: Path): void {
    for (let length = 1; length < path.length; length += 1) {
      const above = path.slice(0, length);
      const node = this.#document.getIn(above, true);
      if (isMap(node)) continue;
      if (isAlias(node)) {
        throw codedError('MND_CONFIG_INVALID', {
          subject: above.join('.'),
          expected: 'keys of its own',
          found: 'an alias of another section',
          next: 'write its keys out, or change this file by hand',
        });
      }
      const section = this.#document.createNode({});
      if (isScalar(node)) section.commentBefore = node.comment ?? null;
      this.#document.setIn(above, section);
    }
  }

  #commentOn(path: Path, comment: string): void {
    const key = this.#keyAt(path);
    if (key === null) return;
    key.commentBefore = comment
      .split('\n')
      .map((line) => ` ${line}`)
      .join('\n');
  }

  /** An empty line above a section that is not the first. */
  #separate(name = ''): void {
    const { contents } = this.#document;
    const key = this.#keyAt([name]);
    if (key !== null && isMap(contents) && contents.items.length > 1) key.spaceBefore = true;
  }

  /** A key as a node that can have comments; null in `{ }`, where there is no room for any. */
  #keyAt(path: Path): Scalar | null {
    const above =
      path.length === 1 ? this.#document.contents : this.#document.getIn(path.slice(0, -1));
    if (!isMap(above) || above.flow) return null;
    const name = path.at(-1);
    const pair = above.items.find(({ key }) => (isScalar(key) ? key.value : key) === name);
    if (pair === undefined) return null;
    if (!isNode(pair.key)) pair.key = this.#document.createNode(pair.key);
    return isScalar(pair.key) ? pair.key : null;
  }
}

function parse(text: string): Document {
  return parseDocument(text, {
    customTags: [SECRET],
    merge: true,
    strict: false,
    uniqueKeys: false,
    logLevel: 'silent',
  });
}

function keepComments(from: Scalar, to: Scalar): void {
  to.comment = from.comment ?? null;
  to.commentBefore = from.commentBefore ?? null;
}

/** `[ 1, 2 ]`, as the library writes lists, as people write them: only where nothing else changes. */
function closeBrackets(text: string): string {
  const closed = text
    .split('\n')
    .map((line) => (/["'#]/.test(line) ? line : line.replace(/\[ /g, '[').replace(/ \]/g, ']')))
    .join('\n');
  return isDeepStrictEqual(parse(closed).toJS(), parse(text).toJS()) ? closed : text;
}
