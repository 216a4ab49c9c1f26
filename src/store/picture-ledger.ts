/** A file as it was counted on the disk. */
export interface CountedFile {
  readonly name: string;
  readonly bytes: number;
}

/**
 * How many bytes the files of a folder take, kept up to date with every write and removal: a bound holds at
 * every moment without looking at the folder each time.
 */
export class PictureLedger {
  /** Bytes by name, the oldest first. */
  readonly #files = new Map<string, number>();
  /** Names that changed while the folder was being counted; null: it is not. */
  #changed: Set<string> | null = null;
  #bytes = 0;

  /** Bytes of all files. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A file has so many bytes, and is the newest. */
  put(name: string, bytes: number): void {
    this.drop(name);
    this.#files.set(name, bytes);
    this.#bytes += bytes;
  }

  /** A file is gone. */
  drop(name: string): void {
    this.#changed?.add(name);
    this.#bytes -= this.#files.get(name) ?? 0;
    this.#files.delete(name);
  }

  /** Names from the oldest on. */
  names(): IterableIterator<string> {
    return this.#files.keys();
  }

  /** The folder is looked at from now on; what changes meanwhile is known better than what is found. */
  beginCount(): void {
    this.#changed = new Set();
  }

  /** What was found, the oldest first: files of others are known from now on, and what others took is not. */
  endCount(found: readonly CountedFile[]): void {
    const changed = this.#changed ?? new Set();
    this.#changed = null;
    const meanwhile = [...this.#files].filter(([name]) => changed.has(name));
    this.#files.clear();
    this.#bytes = 0;
    for (const { name, bytes } of found) if (!changed.has(name)) this.put(name, bytes);
    for (const [name, bytes] of meanwhile) this.put(name, bytes);
  }
}
