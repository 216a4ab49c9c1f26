import { homedir, hostname } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { codedError } from '../errors.js';
import { PACKAGE_ROOT } from '../package-root.js';
import { readBoardModel } from '../platform.js';
import { isLeaf } from '../schema/section.js';
import { applyCredentials } from './check/credentials.js';
import type { ConfigProblem } from './check/problem.js';
import { configError } from './check/problem.js';
import { checkRules } from './check/rules.js';
import type { Config } from './config.js';
import { chooseBoard } from './read/board.js';
import { place, readEnvironment } from './read/environment.js';
import { MAX_FILE_BYTES, parseConfigFile } from './read/file.js';
import type { Layer, Merged } from './read/layer.js';
import { createMerged, mergeLayer, pathKey } from './read/layer.js';
import { addCameraDefaults, type Overlay, readOverlay } from './read/overlay.js';
import { defaultNode, defaultStateDir } from './read/places.js';
import { readBounded } from './read/read-bounded.js';
import { resolveSection } from './read/resolve.js';
import { KNOWN_KEYS, keysOf } from './schema/keys.js';
import { SCHEMA } from './schema/schema.js';
import { CAMERA } from './schema/sections/camera.js';

/** Where configuration comes from; everything but `env` has a default. */
export interface LoadConfigOptions {
  /** Configuration files in order; when empty, `systemFile` is read if it exists. */
  readonly files?: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Values by dotted key that override everything else; undefined ones are skipped. */
  readonly flags?: Readonly<Record<string, unknown>>;
  /** Reads at most `limit` bytes of a file; fails with an errno error. */
  readonly readFile?: (file: string, limit: number) => Buffer;
  readonly hostname?: string;
  /** Default `/etc/mobilenetd/config.yaml`. */
  readonly systemFile?: string;
  /** Folder that relative paths of files' names, of the environment and of flags start from. */
  readonly cwd?: string;
  /** Default: where this program is installed. */
  readonly packageRoot?: string;
  /** The board's name; absent: what the device tree says. */
  readonly boardModel?: string | null;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Dotted key → `FILE:LINE`, an environment variable's name, `--flag` or `default`. */
  readonly origins: ReadonlyMap<string, string>;
}

const CAMERA_KEYS = keysOf(CAMERA);
const SYSTEM_FILE = '/etc/mobilenetd/config.yaml';

type Required = LoadConfigOptions & {
  readonly readFile: (file: string, limit: number) => Buffer;
  readonly cwd: string;
};

/**
 * Reads and checks the configuration: defaults, the board's overlay, then the files, then the environment
 * (`MOBILENETD_…`), then flags. The result is deeply frozen.
 *
 * Throws MND_CONFIG_INVALID (a {@link ./problem.js!ConfigError}) with every problem there is, or
 * MND_CONFIG_UNREADABLE for a file that cannot be read.
 */
export function loadConfig(options: LoadConfigOptions): LoadedConfig {
  const settings: Required = {
    ...options,
    readFile: options.readFile ?? readBounded,
    cwd: options.cwd ?? process.cwd(),
  };
  const merged = createMerged();
  const own = [
    ...readFiles(settings, merged.problems),
    environmentLayer(settings, merged.problems),
    flagLayer(settings, merged.problems),
  ];
  const overlay = boardOverlay(own, settings);
  if (overlay !== null) mergeLayer(merged, overlay.layer, SCHEMA);
  for (const layer of own) mergeLayer(merged, layer, SCHEMA);
  if (overlay !== null) addCameraDefaults(merged, overlay);
  requireSources(merged);

  const values = resolveSection(SCHEMA, merged) as unknown as Config;
  const origins = originsOf(merged);
  const originOf = (path: readonly string[]) => nearestOrigin(origins, path);
  const located = withPlaces(values, settings);
  const {
    config,
    origins: secrets,
    problems,
  } = applyCredentials(located, {
    env: settings.env,
    readFile: settings.readFile,
    originOf: (dotted) => origins.get(dotted) ?? 'default',
    faulty: merged.faulty,
  });
  const rules = checkRules(located, { originOf, faulty: merged.faulty });
  const all = [...merged.problems, ...rules, ...problems];
  if (all.length > 0) throw configError(all);
  return { config: deepFreeze(config), origins: new Map([...origins, ...secrets]) };
}

/** The overlay of this board, which lies under everything the user says. */
function boardOverlay(own: readonly Layer[], settings: Required): Overlay | null {
  // What the user says decides which overlay it is, and lies over it.
  const said = createMerged();
  for (const layer of own) mergeLayer(said, layer, SCHEMA);
  const value = (key: string) => said.assignments.get(pathKey(key.split('.')))?.value;
  const procRoot = value('governor.proc_root');
  const chosen = chooseBoard(value('board'), () =>
    settings.boardModel === undefined
      ? readBoardModel(typeof procRoot === 'string' ? procRoot : '/proc')
      : settings.boardModel,
  );
  return chosen === null
    ? null
    : readOverlay(chosen, settings.packageRoot ?? PACKAGE_ROOT, settings.readFile);
}

function readFiles(settings: Required, problems: ConfigProblem[]): readonly Layer[] {
  const { files = [], systemFile = SYSTEM_FILE } = settings;
  if (files.length > 0) return files.map((file) => fileLayer(file, settings, problems));
  try {
    return [fileLayer(systemFile, settings, problems)];
  } catch (error) {
    if (causeCode(error) === 'ENOENT' || causeCode(error) === 'ENOTDIR') return [];
    throw error;
  }
}

function causeCode(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined;
}

function fileLayer(file: string, settings: Required, problems: ConfigProblem[]): Layer {
  const path = resolve(settings.cwd, file);
  const parsed = parseConfigFile(file, readText(file, path, settings));
  problems.push(...parsed.problems);
  return {
    values: parsed.values,
    originOf: (key) => `${file}:${parsed.lineOf(key)}`,
    replaces: false,
    resolvePath: (value) => absolute(dirname(path), value, settings),
  };
}

function readText(file: string, path: string, settings: Required): string {
  const unreadable = (found: string, cause?: unknown) =>
    codedError('MND_CONFIG_UNREADABLE', { subject: file, found, cause });
  let bytes: Buffer;
  try {
    bytes = settings.readFile(path, MAX_FILE_BYTES + 1);
  } catch (error) {
    throw unreadable(reasonOf(error), error);
  }
  if (bytes.length > MAX_FILE_BYTES) throw unreadable(`more than ${MAX_FILE_BYTES} bytes`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw unreadable('bytes that are not UTF-8 text');
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EACCES') return 'no permission to read it';
  return code === 'EISDIR' ? 'a folder' : (code ?? 'an unreadable file');
}

function environmentLayer(settings: Required, problems: ConfigProblem[]): Layer {
  const { values, variables, problems: found } = readEnvironment(settings.env);
  problems.push(...found);
  return {
    values,
    originOf: (path) => nearestOrigin(variables, path),
    replaces: true,
    resolvePath: (value) => absolute(settings.cwd, value, settings),
  };
}

function flagLayer(settings: Required, problems: ConfigProblem[]): Layer {
  const values: Record<string, unknown> = {};
  const origins = new Map<string, string>();
  for (const [dotted, value] of Object.entries(settings.flags ?? {})) {
    if (value === undefined) continue;
    const known = KNOWN_KEYS.find((candidate) => candidate.dotted === dotted);
    if (known === undefined) {
      problems.push({ where: '--flag', key: dotted, message: 'unknown key' });
      continue;
    }
    origins.set(dotted, '--flag');
    place(values, known.path, value);
  }
  return {
    values,
    originOf: () => '--flag',
    replaces: true,
    resolvePath: (value) => absolute(settings.cwd, value, settings),
  };
}

function absolute(folder: string, path: string, settings: Required): string {
  if (path === '~' || path.startsWith('~/')) {
    return join(settings.env.HOME ?? homedir(), path.slice(1));
  }
  return isAbsolute(path) ? path : resolve(folder, path);
}

/** A camera without a source cannot be resolved: it is told of and left out. */
function requireSources(merged: Merged): void {
  for (const { path, origin } of [...merged.assignments.values()]) {
    if (path.length !== 2 || path[0] !== 'cameras') continue;
    for (const { path: below, node } of CAMERA_KEYS) {
      if (!isLeaf(node) || !node.required) continue;
      const keyPath = [...path, ...below];
      if (merged.assignments.has(pathKey(keyPath))) continue;
      merged.assignments.delete(pathKey(path));
      const key = keyPath.join('.');
      if (merged.faulty.has(key)) continue;
      const message = `missing; expected ${node.type.expected}`;
      merged.problems.push({ where: origin, key, message });
    }
  }
}

function originsOf(merged: Merged): Map<string, string> {
  const origins = new Map<string, string>();
  for (const { dotted } of KNOWN_KEYS) origins.set(dotted, 'default');
  for (const { path } of merged.assignments.values()) {
    if (path.length !== 2 || path[0] !== 'cameras') continue;
    for (const { dotted } of CAMERA_KEYS) origins.set([...path, dotted].join('.'), 'default');
  }
  for (const { path, origin } of merged.assignments.values()) origins.set(path.join('.'), origin);
  return origins;
}

/** The origin of the key, or of the section it is in. */
function nearestOrigin(origins: ReadonlyMap<string, string>, path: readonly string[]): string {
  for (let length = path.length; length > 0; length--) {
    const origin = origins.get(path.slice(0, length).join('.'));
    if (origin !== undefined) return origin;
  }
  return 'default';
}

/** Fills in what depends on the machine. */
function withPlaces(values: Config, settings: Required): Config {
  // The schema has null where the machine decides.
  const given: { [K in 'node' | 'state_dir' | 'models_dir']: string | null } = values;
  const stateDir =
    given.state_dir ??
    defaultStateDir({ env: settings.env, packageRoot: settings.packageRoot, cwd: settings.cwd });
  return {
    ...values,
    node: given.node ?? defaultNode(settings.hostname ?? hostname()),
    state_dir: stateDir,
    models_dir: given.models_dir ?? join(stateDir, 'models'),
  };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}
