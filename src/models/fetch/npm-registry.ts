import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { readSmallText } from '../../small-file.js';
import type { NpmSource } from '../catalog/catalog.js';
import type { HttpClient } from './http.js';

const PUBLIC_REGISTRY = 'https://registry.npmjs.org/';
const MAX_NPMRC_BYTES = 256 * 1024;
const MAX_MANIFEST_BYTES = 1024 * 1024;

export interface NpmSettings {
  /** Address of the package's registry, ending in a slash. */
  readonly registry: string;
  /** Value of the Authorization header; null if none is configured. A secret. */
  readonly authorization: string | null;
}

export interface NpmEnvironment {
  readonly env: NodeJS.ProcessEnv;
  /** Folder whose `.npmrc` counts as the project's. */
  readonly cwd: string;
  readonly home?: string;
}

/**
 * The registry that npm would ask for a package: `npm_config_…` variables, then the project's, the
 * user's and the installation's `.npmrc`; a scope's own registry before the general one. npm itself
 * is not run: it need not be there.
 */
export async function npmSettings(name: string, where: NpmEnvironment): Promise<NpmSettings> {
  const layers = [environmentSettings(where.env)];
  for (const file of settingsFiles(where)) layers.push(await readSettings(file, where.env));
  const find = (key: string) => layers.map((layer) => layer.get(key)).find((value) => value);
  const scope = name.startsWith('@') ? name.slice(0, name.indexOf('/')) : null;
  const configured = (scope === null ? undefined : find(`${scope}:registry`)) ?? find('registry');
  const registry = normalise(configured);
  return { registry, authorization: authorizationFor(new URL(registry), find) };
}

function normalise(address: string | undefined): string {
  if (address === undefined || !URL.canParse(address)) return PUBLIC_REGISTRY;
  return address.endsWith('/') ? address : `${address}/`;
}

/** npm reads `npm_config_x` in any case and with any of `-` and `_`; `registry` needs neither. */
function environmentSettings(env: NodeJS.ProcessEnv): Map<string, string> {
  const settings = new Map<string, string>();
  for (const [name, value] of Object.entries(env)) {
    const match = /^npm_config_(.+)$/i.exec(name);
    if (match?.[1] === undefined || value === undefined) continue;
    settings.set(match[1].startsWith('@') ? match[1] : match[1].toLowerCase(), value);
  }
  return settings;
}

function settingsFiles({ env, cwd, home }: NpmEnvironment): string[] {
  const user = env.npm_config_userconfig ?? env.NPM_CONFIG_USERCONFIG;
  const global = env.npm_config_globalconfig ?? env.NPM_CONFIG_GLOBALCONFIG;
  return [
    join(cwd, '.npmrc'),
    user ?? join(home ?? homedir(), '.npmrc'),
    global ?? join(dirname(dirname(process.execPath)), 'etc', 'npmrc'),
  ];
}

async function readSettings(file: string, env: NodeJS.ProcessEnv): Promise<Map<string, string>> {
  const settings = new Map<string, string>();
  let text: string;
  try {
    text = readSmallText(file, MAX_NPMRC_BYTES);
  } catch {
    return settings;
  }
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line);
    if (match?.[1] === undefined || match[2] === undefined) continue;
    const value = match[2].replace(/^(["'])(.*)\1$/, '$2');
    settings.set(
      match[1],
      value.replace(/\$\{([^}]+)\}/g, (whole, name: string) => env[name] ?? whole),
    );
  }
  return settings;
}

/** npm keys credentials by the registry's address without its scheme, or a parent of its path. */
function authorizationFor(registry: URL, find: (key: string) => string | undefined): string | null {
  if (registry.username !== '') {
    const plain = `${decodeURIComponent(registry.username)}:${decodeURIComponent(registry.password)}`;
    return `Basic ${Buffer.from(plain).toString('base64')}`;
  }
  for (let path = registry.pathname; ; path = path.replace(/[^/]*\/$/, '')) {
    const key = `//${registry.host}${path}`;
    const token = find(`${key}:_authToken`);
    if (token !== undefined) return `Bearer ${token}`;
    const basic = find(`${key}:_auth`);
    if (basic !== undefined) return `Basic ${basic}`;
    if (path === '/' || path === '') return null;
  }
}

/** The tarball's name in every registry, and in a mirror folder. */
export function tarballName({ package: name, version }: NpmSource): string {
  return `${name.slice(name.indexOf('/') + 1)}-${version}.tgz`;
}

/** Where registries keep a package's tarball. */
export function tarballUrl(registry: string, source: NpmSource): string {
  return withoutCredentials(new URL(`${source.package}/-/${tarballName(source)}`, registry));
}

function withoutCredentials(url: URL): string {
  url.username = '';
  url.password = '';
  return url.href;
}

/**
 * The tarball's address by the registry's own word, for registries that keep it elsewhere; null if
 * it does not say. The checksum of the catalogue makes it safe to follow.
 */
export async function askTarballUrl(
  source: NpmSource,
  settings: NpmSettings,
  { http, signal }: { readonly http: HttpClient; readonly signal?: AbortSignal },
): Promise<string | null> {
  const path = source.package.replace('/', '%2f');
  const url = withoutCredentials(new URL(`${path}/${source.version}`, settings.registry));
  const headers = headersFor(url, settings.registry, settings.authorization);
  const response = await http.get({ url, headers, signal });
  if (response.statusCode !== 200) {
    response.body.destroy();
    return null;
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body) {
    const bytes: Uint8Array = chunk;
    length += bytes.length;
    if (length > MAX_MANIFEST_BYTES) return null;
    chunks.push(bytes);
  }
  return tarballOf(Buffer.concat(chunks).toString('utf8'));
}

function tarballOf(json: string): string | null {
  try {
    const manifest: { readonly dist?: { readonly tarball?: unknown } } | null = JSON.parse(json);
    const address = manifest?.dist?.tarball;
    return typeof address === 'string' && /^https?:/.test(address) ? address : null;
  } catch {
    return null;
  }
}

/** Credentials go to the registry's own origin only. */
export function headersFor(
  url: string,
  registry: string,
  authorization: string | null,
): Record<string, string> {
  const own = new URL(url).origin === new URL(registry).origin;
  return own && authorization !== null ? { authorization } : {};
}
