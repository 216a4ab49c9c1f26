import { nearestOf } from '../../nearest.js';
import { isLeaf } from '../../schema/section.js';
import type { ConfigProblem } from '../check/problem.js';
import type { KnownKey } from '../schema/keys.js';
import { ENV_ALIASES, ENV_PREFIX, KNOWN_KEYS, OTHER_VARIABLES } from '../schema/keys.js';
import { expandVariables } from './references.js';
import { readTyped } from './typed-text.js';

/** What the environment sets. */
export interface EnvironmentValues {
  readonly values: Readonly<Record<string, unknown>>;
  /** Dotted key → variable. */
  readonly variables: ReadonlyMap<string, string>;
  readonly problems: readonly ConfigProblem[];
  /** Variables with the prefix that set nothing. */
  readonly warnings: readonly ConfigProblem[];
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
  const unknown: string[] = [];
  for (const [name, text] of Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!name.startsWith(ENV_PREFIX) || OTHER_VARIABLES.includes(name)) continue;
    if (text === undefined || text === '') continue;
    const known = BY_VARIABLE.get(name);
    const rival = known === undefined ? undefined : variables.get(known.dotted);
    if (known === undefined) {
      unknown.push(name);
    } else if (rival !== undefined && env[rival] !== text) {
      const message = `${rival} sets the same key to something else; set one of them`;
      problems.push({ where: name, key: known.dotted, message });
    } else {
      variables.set(known.dotted, name);
      const value = readVariable(text, known);
      if (value instanceof SyntaxError) {
        problems.push({ where: name, key: known.dotted, message: value.message });
      } else {
        place(values, known.path, value);
      }
    }
  }
  return { values, variables, problems, warnings: warningsOf(unknown) };
}

/** Nothing expands a variable's own text; a `${…}` in it was meant for something that did not. */
function readVariable(text: string, { node }: KnownKey): unknown {
  const expanded = expandVariables(text, () => undefined);
  return 'fault' in expanded
    ? new SyntaxError(`holds \${…}, which nothing puts a value for here; write $\${ for \${`)
    : readTyped(expanded.text, node);
}

/**
 * What container platforms set for a service called `mobilenetd`: MOBILENETD_SERVICE_HOST,
 * MOBILENETD_PORT_8080_TCP_ADDR and the like.
 */
const PLATFORM =
  /^MOBILENETD(_[A-Z0-9_]+)?_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)?|ENV_[A-Z0-9_]+|NAME)$/;

function warningsOf(unknown: readonly string[]): readonly ConfigProblem[] {
  const foreign = unknown.filter((name) => PLATFORM.test(name));
  const own = unknown.filter((name) => !PLATFORM.test(name));
  const warnings = own.map((name) => ({ where: name, key: '', message: unknownVariable(name) }));
  const [first] = foreign;
  if (first === undefined) return warnings;
  const message =
    foreign.length === 1
      ? 'ignored: a container platform sets it'
      : `ignored, with ${foreign.length - 1} more that a container platform sets`;
  return [...warnings, { where: first, key: '', message }];
}

function unknownVariable(name: string): string {
  const items = KNOWN_KEYS.find((known) => !isLeaf(known.node) && name.startsWith(`${known.env}_`));
  if (items !== undefined) return `ignored: unknown variable; set ${items.env} to a JSON object`;
  const near = nearestOf(name, [...BY_VARIABLE.keys(), ...OTHER_VARIABLES]);
  if (near === null) return 'ignored: unknown variable';
  const key = BY_VARIABLE.get(near)?.dotted;
  return `ignored: unknown variable; did you mean ${near}${key === undefined ? '' : ` (${key})`}?`;
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
