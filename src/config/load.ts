import type { Config } from './config.js';

/** Where configuration comes from; everything but `env` has a default. */
export interface LoadConfigOptions {
  /** Configuration files in order; when empty, `systemFile` is read if it exists. */
  readonly files?: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Values by dotted key that override everything else; undefined ones are skipped. */
  readonly flags?: Readonly<Record<string, unknown>>;
  /** Reads a file whole; fails with an errno error. */
  readonly readFile?: (file: string) => Buffer;
  readonly hostname?: string;
  /** Default `/etc/mobilenetd/config.yaml`. */
  readonly systemFile?: string;
  /** Folder that relative paths of the environment and of flags start from. */
  readonly cwd?: string;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Dotted key → `FILE:LINE`, an environment variable's name, `--flag` or `default`. */
  readonly origins: ReadonlyMap<string, string>;
}
