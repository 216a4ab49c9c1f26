import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { codedError, isCodedError } from '../../errors.js';
import { makeFolder } from '../../make-folder.js';
import type { CatalogEntry, ModelSource, SourceMember } from '../catalog/catalog.js';
import type { OnProgress, ShelfLog } from '../progress.js';
import { extractMembers } from './archive.js';
import { type Checksum, checksumOf, integritySum, requireChecksum, sha256Sum } from './checksum.js';
import { type DownloadOptions, download } from './download.js';
import { pinOnFirstUse } from './first-use.js';
import { createHttpClient, DEFAULT_TIMEOUTS, type HttpTimeouts } from './http.js';
import { askTarballUrl, headersFor, npmSettings, tarballName, tarballUrl } from './npm-registry.js';
import { claimPart, releasePart } from './part-file.js';

/** What fetching touches of the outside world. */
export interface SourceEnvironment {
  /** Folder searched before any download; null for none. */
  readonly mirror: string | null;
  /** Folder of unfinished and not yet converted downloads. */
  readonly downloads: string;
  /** File of what was fetched first from addresses without a published checksum. */
  readonly pins: string;
  /** Folder of the catalogue, which relative `file` sources start from. */
  readonly catalogFolder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly home?: string;
  readonly log: ShelfLog;
  readonly timeouts?: HttpTimeouts;
  readonly clock?: DownloadOptions['clock'];
}

export interface FetchOptions {
  /** An existing folder that unpacked files go to. */
  readonly scratch: string;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

export interface FetchedModel {
  /** File on this machine by member path. */
  readonly files: ReadonlyMap<string, string>;
  /** Removes the download; call it once the model is installed. */
  discard(): Promise<void>;
}

const nothing = async () => undefined;

/**
 * Brings a catalogue entry's files to this machine: from the mirror folder if it has them under
 * their name with the right checksum, else from the source.
 *
 * @throws MND_DOWNLOAD_FAILED, MND_MODEL_CHECKSUM, MND_ARCHIVE_INVALID, MND_MODEL_TOO_LARGE,
 *   MND_INPUT_MISSING
 */
export async function fetchModel(
  entry: CatalogEntry,
  environment: SourceEnvironment,
  options: FetchOptions,
): Promise<FetchedModel> {
  const mirrored = await membersInMirror(entry, environment);
  if (mirrored !== null) return { files: mirrored, discard: nothing };
  const { file, discard } = await fetchArchive(entry, environment, options);
  const { source } = entry;
  if (source.kind === 'https' && source.sha256 === null) {
    const { pins, log } = environment;
    await pinOnFirstUse(file, { url: source.url, pins, log }).catch(async (error: unknown) => {
      await discard();
      throw error;
    });
  }
  options.onProgress?.({ model: entry.name, stage: 'unpack' });
  return { files: await unpack(entry, file, options), discard };
}

/** Every member from the mirror, or null if one is not there or has no published checksum. */
async function membersInMirror(
  { name, source }: CatalogEntry,
  { mirror, log }: SourceEnvironment,
): Promise<Map<string, string> | null> {
  if (mirror === null) return null;
  const files = new Map<string, string>();
  for (const member of source.members) {
    const file = basename(member.path);
    const places = [join(mirror, name, file), join(mirror, file), join(mirror, `${name}.tflite`)];
    const sum = member.sha256 === null ? null : sha256Sum(member.sha256);
    const found = await firstMatching(places, sum, log);
    if (found === null) return null;
    files.set(member.path, found);
  }
  return files;
}

async function firstMatching(
  places: readonly string[],
  sum: Checksum | null,
  log: ShelfLog,
): Promise<string | null> {
  for (const file of new Set(places)) {
    const isFile = await stat(file).then(
      (found) => found.isFile(),
      () => false,
    );
    if (!isFile) continue;
    if (sum === null) {
      log.warn({ file }, 'mirror: no checksum was published for this file, only for its archive');
    } else if ((await checksumOf(file, sum.algorithm)) === sum.text) {
      return file;
    } else {
      log.warn({ file }, 'mirror: this file has another checksum than the catalogue');
    }
  }
  return null;
}

interface FetchedArchive {
  readonly file: string;
  discard(): Promise<void>;
}

async function fetchArchive(
  entry: CatalogEntry,
  environment: SourceEnvironment,
  options: FetchOptions,
): Promise<FetchedArchive> {
  const { source } = entry;
  const sum = sumOf(source);
  if (source.kind === 'file') {
    const file = resolve(environment.catalogFolder, source.path);
    await requireFile(file);
    await requireChecksum(file, sha256Sum(source.sha256), {
      subject: file,
      signal: options.signal,
    });
    return { file, discard: nothing };
  }
  const name = fileNameOf(source);
  if (environment.mirror !== null) {
    const file = await firstMatching([join(environment.mirror, name)], sum, environment.log);
    if (file !== null) return { file, discard: nothing };
  }
  const key = sum === null ? 'first' : keyOf(sum);
  return downloadArchive(entry, `${name}-${key}`, environment, options);
}

async function downloadArchive(
  { name: model, source }: CatalogEntry,
  key: string,
  environment: SourceEnvironment,
  options: FetchOptions,
): Promise<FetchedArchive> {
  const { downloads } = environment;
  makeFolder(downloads);
  const checksum = sumOf(source);
  const file = join(downloads, key);
  const discard = () => rm(file, { force: true });
  if (checksum !== null) {
    const present = await checksumOf(file, checksum.algorithm).catch(() => null);
    if (present === checksum.text) return { file, discard };
  }

  const partFile = await claimPart(downloads, key, process.pid);
  const http = createHttpClient(environment.env, environment.timeouts ?? DEFAULT_TIMEOUTS);
  const { onProgress } = options;
  const common = {
    file,
    partFile,
    checksum,
    http,
    signal: options.signal,
    clock: environment.clock,
    ...(onProgress && {
      onProgress: (state: { received: number; total: number | null }) =>
        onProgress({ model, stage: 'download', ...state }),
    }),
  };
  try {
    if (source.kind === 'npm') await downloadTarball(source, environment, common);
    else if (source.kind === 'https') await download({ ...common, url: source.url });
  } finally {
    await releasePart(downloads, key, process.pid);
  }
  return { file, discard };
}

/** From where registries keep tarballs, else from where this one says it does. */
async function downloadTarball(
  source: Extract<ModelSource, { kind: 'npm' }>,
  environment: SourceEnvironment,
  common: Omit<DownloadOptions, 'url'>,
): Promise<void> {
  const settings = await npmSettings(source.package, environment);
  const { registry, authorization } = settings;
  const fetchFrom = (url: string) =>
    download({ ...common, url, headers: headersFor(url, registry, authorization) });
  const usual = tarballUrl(registry, source);
  try {
    await fetchFrom(usual);
  } catch (error) {
    if (!isCodedError(error) || error.code !== 'MND_DOWNLOAD_FAILED') throw error;
    const current = await askTarballUrl(source, settings, common).catch(() => null);
    if (current === null || current === usual) throw error;
    await fetchFrom(current);
  }
}

async function unpack(
  { source }: CatalogEntry,
  archive: string,
  options: FetchOptions,
): Promise<Map<string, string>> {
  const isNpm = source.kind === 'npm';
  const kind = isNpm ? 'tgz' : source.archive;
  const targets = source.members.map((member, index) => ({
    member,
    file: kind === 'none' ? archive : join(options.scratch, `source-${index}`),
  }));
  if (kind !== 'none') {
    await extractMembers({
      archive,
      kind,
      strip: isNpm ? 1 : 0,
      members: targets.map(({ member, file }) => ({ path: member.path, file })),
      signal: options.signal,
    });
  }
  const files = new Map<string, string>();
  for (const { member, file } of targets) {
    const part =
      member.range === undefined ? file : await cutOut(file, member.range, options.scratch);
    await requireMember(archive, member, part);
    files.set(member.path, part);
  }
  return files;
}

/** Copies a part of a file into one of its own, without reading it into memory. */
async function cutOut(
  file: string,
  [start, end]: readonly [number, number],
  scratch: string,
): Promise<string> {
  const part = join(scratch, `${basename(file)}-part`);
  await pipeline(createReadStream(file, { start, end: end - 1 }), createWriteStream(part));
  return part;
}

async function requireMember(archive: string, member: SourceMember, file: string): Promise<void> {
  if (member.sha256 === null) return;
  const subject = `${basename(archive)}: ${member.path}`;
  await requireChecksum(file, sha256Sum(member.sha256), { subject });
}

async function requireFile(file: string): Promise<void> {
  const found = await stat(file).catch(() => null);
  if (found?.isFile()) return;
  throw codedError('MND_INPUT_MISSING', {
    subject: file,
    expected: 'a file',
    found: found === null ? 'nothing' : 'something else',
  });
}

/** Null where no checksum was published. */
function sumOf(source: ModelSource): Checksum | null {
  if (source.kind === 'npm') return integritySum(source.integrity);
  return source.sha256 === null ? null : sha256Sum(source.sha256);
}

/** Part of a checksum that is safe in a file name: two releases never share a download. */
function keyOf(sum: Checksum): string {
  return sum.text
    .replace(/^sha512-/, '')
    .replace(/[^A-Za-z0-9]/g, '')
    .slice(0, 12);
}

function fileNameOf(source: Exclude<ModelSource, { kind: 'file' }>): string {
  if (source.kind === 'npm') return tarballName(source);
  return basename(new URL(source.url).pathname).replace(/[^A-Za-z0-9._-]/g, '_') || 'download';
}
