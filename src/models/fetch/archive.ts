import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Parser, type ReadEntry } from 'tar';
import yauzl from 'yauzl';
import { codedError, isCodedError, messageOf } from '../../errors.js';
import { asDiskError, isDiskError } from './disk.js';

export interface WantedMember {
  /** Path inside the archive. */
  readonly path: string;
  /** Where its bytes go. */
  readonly file: string;
}

export interface ArchiveLimits {
  readonly memberBytes: number;
  /** Of everything in the archive, unpacked. */
  readonly totalBytes: number;
  readonly entries: number;
}

export const ARCHIVE_LIMITS: ArchiveLimits = {
  memberBytes: 128 * 1024 * 1024,
  totalBytes: 512 * 1024 * 1024,
  entries: 10_000,
};

export interface ExtractOptions {
  readonly archive: string;
  readonly kind: 'tgz' | 'zip';
  /** Leading folders that are not part of the wanted paths: 1 for npm tarballs. */
  readonly strip?: number;
  readonly members: readonly WantedMember[];
  readonly limits?: ArchiveLimits;
  readonly signal?: AbortSignal;
}

/**
 * Takes the wanted members out of an archive. A name inside an archive never becomes a path on this
 * machine: members are found by name and written where the caller says. An archive with a name that
 * points outside, a link in a wanted place, or more data than the limits is refused.
 *
 * @throws MND_ARCHIVE_INVALID, MND_MODEL_TOO_LARGE
 */
export async function extractMembers(options: ExtractOptions): Promise<void> {
  const ledger = createLedger(options);
  try {
    await (options.kind === 'zip' ? extractZip(options, ledger) : extractTar(options, ledger));
  } catch (error) {
    options.signal?.throwIfAborted();
    if (isCodedError(error)) throw error;
    if (isDiskError(error)) throw asDiskError(error, options.archive);
    throw invalid(options, `a whole ${options.kind} archive`, messageOf(error), error);
  }
  ledger.requireComplete();
}

/** What one extraction has seen and may still see. */
interface Ledger {
  /** The wanted member of this name, or null; counts the entry. */
  admit(name: string, size: number, isFile: boolean): WantedMember | null;
  count(bytes: number): void;
  done(member: WantedMember): void;
  requireComplete(): void;
}

function createLedger(options: ExtractOptions): Ledger {
  const { members, strip = 0, limits = ARCHIVE_LIMITS } = options;
  const missing = new Set(members.map(({ path }) => path));
  const admitted = new Set<string>();
  let entries = 0;
  let total = 0;
  const tooLarge = (expected: string) =>
    codedError('MND_MODEL_TOO_LARGE', { subject: options.archive, expected, found: 'more' });
  return {
    admit(name, size, isFile) {
      entries += 1;
      if (entries > limits.entries) throw tooLarge(`at most ${limits.entries} archive entries`);
      const parts = name.split('/').filter((part) => part !== '' && part !== '.');
      if (name.startsWith('/') || parts.includes('..') || name.includes('\0')) {
        throw invalid(options, 'names inside the archive', `"${name.slice(0, 100)}"`);
      }
      const path = parts.slice(strip).join('/');
      const member = members.find((candidate) => candidate.path === path);
      if (member === undefined) return null;
      if (!isFile) throw invalid(options, `a file "${path}"`, 'a link or a folder');
      if (admitted.has(path)) throw invalid(options, `"${path}" once`, 'twice');
      admitted.add(path);
      if (size > limits.memberBytes)
        throw tooLarge(`at most ${limits.memberBytes} bytes in a file`);
      return member;
    },
    count(bytes) {
      total += bytes;
      if (total > limits.totalBytes) throw tooLarge(`at most ${limits.totalBytes} bytes unpacked`);
    },
    done: ({ path }) => missing.delete(path),
    requireComplete() {
      const [path] = missing;
      if (path !== undefined) throw invalid(options, `a file "${path}" in it`, 'none');
    },
  };
}

async function extractTar(options: ExtractOptions, ledger: Ledger): Promise<void> {
  const parser = new Parser({ strict: true });
  const failed = new AbortController();
  const writes: { readonly entry: ReadEntry; readonly written: Promise<void> }[] = [];
  const fail = (error: unknown) => failed.abort(error);

  parser.on('entry', (entry: ReadEntry) => {
    try {
      const isFile =
        entry.type === 'File' || entry.type === 'OldFile' || entry.type === 'ContiguousFile';
      const member = ledger.admit(entry.path, entry.size, isFile);
      if (member === null) {
        entry.resume();
        return;
      }
      const written = writeMember(member, entry).then(() => ledger.done(member));
      written.catch(fail);
      writes.push({ entry, written });
    } catch (error) {
      fail(error);
      entry.resume();
    }
  });

  const counter = new Transform({
    transform(chunk: Uint8Array, _encoding, callback) {
      try {
        ledger.count(chunk.length);
        callback(null, chunk);
      } catch (error) {
        callback(error instanceof Error ? error : new Error(messageOf(error)));
      }
    },
  });
  const signals = [failed.signal, ...(options.signal === undefined ? [] : [options.signal])];
  const signal = AbortSignal.any(signals);
  try {
    await pipeline(
      createReadStream(options.archive),
      createGunzip(),
      counter,
      (source) => feed(parser, source, signal),
      { signal },
    );
    await Promise.all(writes.map(({ written }) => written));
  } catch (error) {
    // A file whose rest will never come is closed before the caller removes it.
    for (const { entry } of writes) entry.destroy(error);
    await Promise.allSettled(writes.map(({ written }) => written));
    throw failed.signal.aborted ? failed.signal.reason : error;
  }
}

/** Writes all of `source` into the parser and waits until it has seen the end. */
async function feed(
  parser: Parser,
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const ended = new Promise<void>((resolve, reject) => {
    parser.once('end', resolve);
    parser.once('error', reject);
    // An entry that nobody reads any more would keep the parser waiting for ever.
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  // A parser that fails while nobody waits for it must not be an unhandled rejection.
  ended.catch(() => undefined);
  for await (const chunk of source) {
    if (parser.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))) continue;
    await Promise.race([new Promise((resolve) => parser.once('drain', resolve)), ended]);
  }
  parser.end();
  await ended;
}

const FILE_TYPE_MASK = 0o170000;
const REGULAR_FILE = 0o100000;

async function extractZip(options: ExtractOptions, ledger: Ledger): Promise<void> {
  const zip = await yauzl.openPromise(options.archive, { strictFileNames: true, autoClose: false });
  try {
    for await (const entry of zip.eachEntry()) {
      options.signal?.throwIfAborted();
      // Only entries made on Unix have a file type; 0 is that of the others.
      const type = (entry.externalFileAttributes >>> 16) & FILE_TYPE_MASK;
      const isFile = !entry.fileName.endsWith('/') && (type === 0 || type === REGULAR_FILE);
      const member = ledger.admit(entry.fileName, entry.uncompressedSize, isFile);
      if (member === null) continue;
      if (!entry.canDecodeFileData())
        throw new Error(`"${member.path}" is encrypted or packed oddly`);
      ledger.count(entry.uncompressedSize);
      await writeMember(member, await zip.openReadStreamPromise(entry));
      ledger.done(member);
    }
  } finally {
    zip.close();
  }
}

async function writeMember(
  member: WantedMember,
  source: AsyncIterable<Uint8Array> & Pick<NodeJS.EventEmitter, 'on'>,
): Promise<void> {
  // It may break before its file is open. The loop meets that error; without a listener it would be thrown.
  source.on('error', () => undefined);
  const output = await open(member.file, 'wx', 0o644);
  try {
    for await (const chunk of source) await output.appendFile(chunk);
  } finally {
    await output.close();
  }
}

function invalid(
  { archive }: ExtractOptions,
  expected: string,
  found: string,
  cause?: unknown,
): Error {
  return codedError('MND_ARCHIVE_INVALID', {
    subject: archive,
    expected,
    found,
    cause,
  });
}
