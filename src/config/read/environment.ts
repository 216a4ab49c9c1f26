import { nearestOf } from '../../nearest.js';
import type { Kind } from '../../schema/format.js';
import { isLeaf } from '../../schema/section.js';
import type { ConfigProblem } from '../check/problem.js';
import type { KnownKey } from '../schema/keys.js';
import { ENV_ALIASES, ENV_PREFIX, KNOWN_KEYS, OTHER_VARIABLES } from '../schema/keys.js';

/** What the environment sets. */
export interface EnvironmentValues {
  readonly values: Readonly<Record<string, unknown>>;
  /** Dotted key → variable. */
  readonly variables: ReadonlyMap<string, string>;
  readonly problems: readonly ConfigProblem[];
}

const BY_VARIABLE: ReadonlyMap<string, KnownKey> = new Map(
  KNOWN_KEYS.flatMap((known) => [
    [known.env, known] as const,
    ...Object.entries(ENV_ALIASES)
      .filter(([, dotted]) => dotted === known.dotted)
      .map(([alias]) => [alias, known] as const),
  ]),
);

/**
 * Reads the variables that begin with `MOBILENETD_`. An empty variable counts as absent. Numbers,
 * true and false are read as such where the key takes them; lists are JSON or separated by commas;
 * sections with names of the user's own (MOBILENETD_CAMERAS) are JSON objects.
 */
export function readEnvironment(env: NodeJS.ProcessEnv): EnvironmentValues {
  const values: Record<string, unknown> = {};
  const variables = new Map<string, string>();
  const problems: ConfigProblem[] = [];
  for (const [name, text] of Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!name.startsWith(ENV_PREFIX) || OTHER_VARIABLES.includes(name)) continue;
    if (text === undefined || text === '') continue;
    const known = BY_VARIABLE.get(name);
    const rival = known === undefined ? undefined : variables.get(known.dotted);
    if (known === undefined) {
      problems.push({ where: name, key: '', message: unknownVariable(name) });
    } else if (rival !== undefined && env[rival] !== text) {
      const message = `${rival} sets the same key to something else; set one of them`;
      problems.push({ where: name, key: known.dotted, message });
    } else {
      variables.set(known.dotted, name);
      const value = readText(text, known);
      if (value instanceof SyntaxError) {
        problems.push({ where: name, key: known.dotted, message: value.message });
      } else {
        place(values, known.path, value);
      }
    }
  }
  return { values, variables, problems };
}

function readText(text: string, { node }: KnownKey): unknown {
  if (!isLeaf(node)) return readJson(text, 'a JSON object, e.g. {"front":{"source":"libcamera"}}');
  const { kinds } = node.type;
  const has = (kind: Kind) => kinds.includes(kind);
  // A password may read null, true or 123.
  if (node.sensitive) return text;
  if (has('null') && text === 'null') return null;
  if (has('boolean') && /^(true|yes|on|1)$/i.test(text)) return true;
  if (has('boolean') && /^(false|no|off|0)$/i.test(text)) return false;
  if (has('number') && /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)) return Number(text);
  if (has('list') && text.trimStart().startsWith('[')) return readJson(text, 'a JSON list');
  if (has('list') && !has('text')) return splitList(text);
  if (has('list') && node.type.faults(text).length > 0) return splitList(text);
  return text;
}

function splitList(text: string): unknown[] {
  return text.split(',').map((item) => {
    const trimmed = item.trim();
    return /^-?\d+(\.\d+)?$/.test(trimmed) ? Number(trimmed) : trimmed;
  });
}

/** The parser's own message would quote the text. */
function readJson(text: string, expected: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return new SyntaxError(`expected ${expected}; found text that is not JSON`);
  }
}

function unknownVariable(name: string): string {
  const near = nearestOf(name, [...BY_VARIABLE.keys(), ...OTHER_VARIABLES]);
  const items = KNOWN_KEYS.find((known) => !isLeaf(known.node) && name.startsWith(`${known.env}_`));
  if (items !== undefined) return `unknown variable; set ${items.env} to a JSON object`;
  return near === null ? 'unknown variable' : `unknown variable; did you mean ${near}?`;
}

/** Sets a value below nested sections. */
export function place(
  values: Record<string, unknown>,
  path: readonly string[],
  value: unknown,
): void {
  const [name = '', ...rest] = path;
  if (rest.length === 0) {
    values[name] = value;
    return;
  }
  const section = (values[name] ?? {}) as Record<string, unknown>;
  values[name] = section;
  place(section, rest, value);
}
