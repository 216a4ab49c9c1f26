import { existsSync, readdirSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../package-root.js';
import { readBoardModel } from '../platform.js';
import type { ConfigProblem } from './check/problem.js';
import { configError } from './check/problem.js';
import { checkRules } from './check/rules.js';
import { rememberSecrets } from './check/secrets.js';
import type { Config } from './config.js';
import { chooseBoard } from './read/board.js';
import { readBounded } from './read/bytes.js';
import { applyCameraDefaults, requireGiven } from './read/camera-defaults.js';
import { applyCredentials } from './read/credentials.js';
import type { Layer } from './read/layer.js';
import { createMerged, mergeLayer, pathKey } from './read/layer.js';
import { type FileAccess, LayerReader } from './read/layers.js';
import { nearestOrigin, originsOf } from './read/origins.js';
import { readOverlay } from './read/overlay.js';
import { defaultNode, defaultStateDir, SYSTEM_FILE } from './read/places.js';
import { resolveSection } from './read/resolve.js';
import { FILE_SCHEMA, SCHEMA } from './schema/schema.js';

/** Where configuration comes from; everything but `env` has a default. */
export interface LoadConfigOptions {
  /** Configuration files in order; when empty, `systemFile` is read if it exists. */
  readonly files?: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Values by dotted key that override everything else; undefined ones are skipped. */
  readonly flags?: Readonly<Record<string, unknown>>;
  /** Reads at most `limit` bytes of a file; fails with an errno error. */
  readonly readFile?: FileAccess['read'];
  /** Names in a folder; none when it is not there. */
  readonly listFolder?: FileAccess['list'];
  /** Permission bits of a file; null when they cannot be told. */
  readonly modeOf?: FileAccess['modeOf'];
  readonly hostname?: string;
  /** Default `/etc/mobilenetd/config.yaml`. */
  readonly systemFile?: string;
  /** Where the system's service keeps its state; default `/var/lib/mobilenetd`. */
  readonly systemState?: string;
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
  /** What is odd and was ignored. */
  readonly warnings: readonly ConfigProblem[];
}

/**
 * Reads and checks the configuration: defaults, the board's overlay, then the files, then the environment
 * (`MOBILENETD_…`), then flags. The result is deeply frozen.
 *
 * Throws MND_CONFIG_INVALID (a {@link ./check/problem.js!ConfigError}) with every problem there is, or
 * MND_CONFIG_UNREADABLE for a file that cannot be read.
 */
export function loadConfig(options: LoadConfigOptions): LoadedConfig {
  const { env, files = [], systemFile = SYSTEM_FILE, cwd = process.cwd() } = options;
  const access: FileAccess = {
    read: options.readFile ?? readBounded,
    list: options.listFolder ?? listFolder,
    modeOf: options.modeOf ?? modeOf,
  };
  const merged = createMerged();
  const { problems } = merged;
  const warnings: ConfigProblem[] = [];
  const reader = new LayerReader(env, cwd, access, { problems, warnings });
  const own = [
    ...reader.files(files, systemFile),
    reader.environment(),
    reader.flags(options.flags ?? {}),
  ];
  const overlay = boardOverlay(own, options, access);
  for (const layer of overlay === null ? own : [overlay, ...own]) {
    mergeLayer(merged, layer, FILE_SCHEMA);
  }
  applyCameraDefaults(merged);
  requireGiven(merged);

  const origins = originsOf(merged);
  const given = resolveSection(SCHEMA, merged) as unknown as Config;
  const located = withPlaces(given, options, cwd);
  const credentials = applyCredentials(located, {
    env,
    readFile: access.read,
    originOf: (dotted) => origins.get(dotted) ?? 'default',
    faulty: merged.faulty,
  });
  const originOf = (path: readonly string[]) => nearestOrigin(origins, path);
  const rules = checkRules(located, { originOf, faulty: merged.faulty });
  const all = [...problems, ...rules, ...credentials.problems];
  if (all.length > 0) throw configError(all, merged.secrets);
  const config = deepFreeze(credentials.config);
  rememberSecrets(config, merged.secrets);
  return { config, origins: new Map([...origins, ...credentials.origins]), warnings };
}

/** The overlay of this board, which lies under everything the user says. */
function boardOverlay(
  own: readonly Layer[],
  { boardModel, packageRoot = PACKAGE_ROOT }: LoadConfigOptions,
  access: FileAccess,
): Layer | null {
  // What the user says decides which overlay it is, and lies over it.
  const merged = createMerged();
  for (const layer of own) mergeLayer(merged, layer, FILE_SCHEMA);
  const value = (key: string) => merged.assignments.get(pathKey(key.split('.')))?.value;
  const procRoot = value('governor.proc_root');
  const chosen = chooseBoard(value('board'), () =>
    boardModel === undefined
      ? readBoardModel(typeof procRoot === 'string' ? procRoot : '/proc')
      : boardModel,
  );
  return chosen === null ? null : readOverlay(chosen, packageRoot, access.read);
}

function listFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || (code === 'ENOTDIR' && !existsSync(folder))) return [];
    throw error;
  }
}

function modeOf(file: string): number | null {
  return statSync(file, { throwIfNoEntry: false })?.mode ?? null;
}

/** Fills in what depends on the machine. */
function withPlaces(values: Config, options: LoadConfigOptions, cwd: string): Config {
  // The file has null where the machine decides.
  const given: { [K in 'node' | 'state_dir' | 'models_dir']: string | null } = values;
  const { systemFile = SYSTEM_FILE } = options;
  const stateDir = given.state_dir ?? defaultStateDir({ ...options, systemFile, cwd });
  return {
    ...values,
    node: given.node ?? defaultNode(options.hostname ?? hostname()),
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
