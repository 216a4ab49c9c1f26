import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import { nearestOf } from '../../nearest.js';
import type { ConfigProblem } from '../check/problem.js';
import { reasonOf } from './bytes.js';
import { expandVariables, type ReferenceFault, type References } from './references.js';

/** What a file of secrets needs of its surroundings. */
export interface SecretsSurroundings {
  /** Text of the file; throws why it cannot be read. */
  readonly readText: () => string;
  /** Permission bits; null when they cannot be told. */
  readonly modeOf: () => number | null;
  readonly variable: References['variable'];
}

/** The `secrets.yaml` of a configuration file: names and texts, read when the first is asked for. */
export class SecretsFile {
  #secrets: ReadonlyMap<string, string> | null | undefined;

  constructor(
    private readonly file: string,
    private readonly around: SecretsSurroundings,
    private readonly problems: ConfigProblem[],
  ) {}

  /** A secret's text; null when the file as a whole cannot be used, which has been reported. */
  get(name: string): string | ReferenceFault | null {
    if (this.#secrets === undefined) this.#secrets = this.#read();
    if (this.#secrets === null) return null;
    const found = this.#secrets.get(name);
    if (found === '') return { fault: `${this.file}: the secret ${JSON.stringify(name)} is empty` };
    if (found !== undefined) return found;
    const near = nearestOf(name, this.#secrets.keys());
    const hint = near === null ? '' : `; did you mean ${near}?`;
    return { fault: `${this.file} has no secret ${JSON.stringify(name)}${hint}` };
  }

  #read(): ReadonlyMap<string, string> | null {
    let text: string;
    try {
      text = this.around.readText();
    } catch (error) {
      return this.#refuse('', `${reasonOf(error)}; !secret NAME takes NAME from this file`);
    }
    const mode = this.around.modeOf();
    if (mode !== null && (mode & OTHERS) !== 0) {
      const octal = (mode & 0o777).toString(8).padStart(4, '0');
      return this.#refuse('', `everybody on this machine can read it (mode ${octal}); chmod o= it`);
    }
    const counter = new LineCounter();
    // The library's messages may quote secrets.
    const document = parseDocument(text, {
      lineCounter: counter,
      version: '1.2',
      logLevel: 'silent',
    });
    const [broken] = document.errors;
    if (broken !== undefined) {
      const { line } = counter.linePos(broken.pos[0]);
      const what =
        broken.code === 'DUPLICATE_KEY' ? 'this name stands here twice' : 'this is not YAML';
      return this.#refuse(`:${line}`, `${what}; expected lines such as "name: text"`);
    }
    const { contents } = document;
    if (contents === null || (isScalar(contents) && contents.value === null)) return new Map();
    if (!isMap(contents)) return this.#refuse(':1', 'expected lines such as "name: text"');
    const secrets = new Map<string, string>();
    for (const { key, value } of contents.items) {
      const line = isScalar(key) && key.range ? counter.linePos(key.range[0]).line : 1;
      if (!isScalar(key) || !isScalar(value) || value.value === null) {
        return this.#refuse(`:${line}`, 'expected a name and a text behind it');
      }
      // As it is written: a number may be a password, and 0123 another one than 123.
      const written = typeof value.value === 'string' ? value.value : (value.source ?? '');
      const expanded = expandVariables(written, this.around.variable);
      if ('fault' in expanded) return this.#refuse(`:${line}`, expanded.fault);
      secrets.set(String(key.value), expanded.text);
    }
    return secrets;
  }

  #refuse(line: string, message: string): null {
    this.problems.push({ where: `${this.file}${line}`, key: '', message });
    return null;
  }
}

/** Permissions of everybody who is neither the owner nor of the group. */
const OTHERS = 0o007;
