/** A text that a file took from elsewhere: `${NAME}` from the environment, `!secret` from a file. */
export class Referenced {
  constructor(
    readonly text: string,
    /** The pieces that came from elsewhere. */
    readonly pieces: readonly string[],
    /** Whether it is a secret wherever it stands. */
    readonly secret: boolean,
  ) {}
}

/** Stands for a reference that leads nowhere; the problem has been reported. */
export const UNRESOLVED = Symbol('unresolved');

/** What a reference could not be turned into, as a message. */
export interface ReferenceFault {
  readonly fault: string;
}

/** Where references of a file lead. */
export interface References {
  /** The variable's value; undefined when it is absent or empty. */
  variable(name: string): string | undefined;
  /** The text of a secret; null when it cannot be told and the reason has been reported. */
  secret(name: string): string | ReferenceFault | null;
}

/** A file without surroundings: every reference is a fault. */
export const NO_REFERENCES: References = {
  variable: () => undefined,
  secret: () => ({ fault: 'a !secret cannot stand here' }),
};

const REFERENCE = /\$\$\{|\$\{([^}]*)(\}?)/g;
const VARIABLE = /^([A-Za-z_]\w*)(?::-(.*))?$/s;

/** Whether a text holds anything that {@link expandVariables} changes or refuses. */
export function holdsReference(text: string): boolean {
  return text.includes('${');
}

/**
 * Puts the values of variables in place of `${NAME}` and `${NAME:-default}`; `$${` stands for `${`. A
 * reference that leads nowhere is a fault: it would else be taken for a password.
 */
export function expandVariables(
  text: string,
  variable: References['variable'],
): Referenced | ReferenceFault {
  const pieces: string[] = [];
  let fault: string | null = null;
  const expanded = text.replace(REFERENCE, (whole, inner: string | undefined, end: string) => {
    if (inner === undefined) return whole.slice(1);
    const [matched, name = '', otherwise] = end === '' ? [] : (VARIABLE.exec(inner) ?? []);
    const value = matched === undefined ? undefined : (variable(name) ?? otherwise);
    if (matched === undefined || inner.includes('${')) {
      // What is not understood may be a password, and is not shown.
      fault ??= `holds \${…} that is not understood; write \${NAME} or \${NAME:-default}, or $\${ for \${`;
    } else if (value === undefined) {
      fault ??= `the variable ${name} is not set; set it, write \${${name}:-default}, or $\${ for \${`;
    } else if (value !== '') {
      pieces.push(value);
    }
    return value ?? '';
  });
  return fault === null ? new Referenced(expanded, pieces, false) : { fault };
}

/** Whether a value, or anything in it, is a reference that leads nowhere. */
export function isUnresolved(value: unknown): boolean {
  return value === UNRESOLVED || (Array.isArray(value) && value.some(isUnresolved));
}

/** Every reference in a value. */
export function referencesIn(value: unknown): readonly Referenced[] {
  if (value instanceof Referenced) return [value];
  return Array.isArray(value) ? value.flatMap(referencesIn) : [];
}

/** Whether a value is a mapping: keys and what belongs to them. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  const plain = typeof value === 'object' && value !== null && !Array.isArray(value);
  return plain && !(value instanceof Referenced);
}
