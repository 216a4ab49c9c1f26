import { booleanMeant, listMeant, numberMeant, textMeant, wordMeant } from './hints.js';

/** Kinds of value that a key accepts; they tell how the text of an environment variable is read. */
export type Kind = 'null' | 'boolean' | 'number' | 'text' | 'list';

/** What is wrong with a value, and where inside it (`['1', '0']`: first item of the second item). */
export interface Fault {
  readonly path: readonly string[];
  readonly expected: string;
  /** What was probably meant, e.g. `write 5`; never holds what may be a secret. */
  readonly hint?: string | undefined;
}

/** A part of a JSON Schema (draft 7). */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/** A type of value: says what it expects, finds what does not fit, and describes itself to editors. */
export interface Format<T> {
  /** Sentence fragment for messages and documentation. */
  readonly expected: string;
  readonly kinds: readonly Kind[];
  /** The same check for editors; it may let pass what only the program can judge. */
  readonly json: JsonSchema;
  /** Everything that does not fit; empty when the value fits. */
  faults(value: unknown): readonly Fault[];
  /** Never set; carries the type. */
  readonly type?: T;
}

/** What somebody probably meant who wrote a value that does not fit. */
type Hint = (value: unknown) => string | undefined;

interface Description {
  readonly kinds: readonly Kind[];
  readonly expected: string;
  readonly json: JsonSchema;
}

/** A format whose values fit as a whole or not at all. */
export function format<T>(
  description: Description,
  fits: (value: unknown) => boolean,
  hint: Hint = () => undefined,
): Format<T> {
  const { expected } = description;
  return {
    ...description,
    faults: (value) => (fits(value) ? [] : [{ path: [], expected, hint: hint(value) }]),
  };
}

export function fits(type: Format<unknown>, value: unknown): boolean {
  return type.faults(value).length === 0;
}

/** The least and the greatest value that are accepted. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** A number of a range that the program knows elsewhere too. */
export function within({ min, max }: Range, unit = ''): Format<number> {
  return number(min, max, unit);
}

/** Finite number of the closed range [min, max]; `unit` is shown, e.g. `seconds`. */
export function number(min: number, max: number, unit = ''): Format<number> {
  return format(
    {
      kinds: ['number'],
      expected: `a number from ${min} to ${max}${suffix(unit)}`,
      json: { type: 'number', minimum: min, maximum: max },
    },
    (value) => typeof value === 'number' && value >= min && value <= max,
    (value) => numberMeant(value, unit),
  );
}

export function integer(min: number, max: number, unit = ''): Format<number> {
  return format(
    {
      kinds: ['number'],
      expected: `a whole number from ${min} to ${max}${suffix(unit)}`,
      json: { type: 'integer', minimum: min, maximum: max },
    },
    (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max,
    (value) => numberMeant(value, unit),
  );
}

/** Even whole number of the closed range. */
export function even(min: number, max: number, unit: string): Format<number> {
  return format(
    {
      kinds: ['number'],
      expected: `an even number of ${unit} from ${min} to ${max}`,
      json: { type: 'integer', minimum: min, maximum: max, multipleOf: 2 },
    },
    (value) => Number(value) % 2 === 0 && fits(integer(min, max), value),
    (value) => numberMeant(value, unit),
  );
}

function suffix(unit: string): string {
  return unit === '' ? '' : ` ${unit}`;
}

export const boolean: Format<boolean> = format(
  { kinds: ['boolean'], expected: 'true or false', json: { type: 'boolean' } },
  (value) => typeof value === 'boolean',
  booleanMeant,
);

export function oneOf<const T extends string | number>(...values: readonly T[]): Format<T> {
  return wordOf(values, {});
}

/** {@link oneOf}, of things that people know by other names too. */
export function wordOf<const T extends string | number>(
  values: readonly T[],
  otherNames: Readonly<Record<string, string>>,
): Format<T> {
  return format(
    {
      kinds: values.some((value) => typeof value === 'number') ? ['number'] : ['text'],
      expected: orList(values.map(String)),
      json: { enum: values },
    },
    (value) => values.some((known) => known === value),
    (value) => wordMeant(value, values, otherNames),
  );
}

export const auto = oneOf('auto');

const CONTROL = /\p{Cc}/u;

/** Whether a text holds control characters. */
export function hasControls(value: string): boolean {
  return CONTROL.test(value);
}

/**
 * Text that satisfies `pattern`, 1 to `limit` characters, without control characters. The pattern
 * stands in the JSON Schema too, which knows no flags but `u`.
 */
export function text(
  expected = 'text',
  pattern = /./u,
  limit = 1024,
  hint: Hint = textMeant,
): Format<string> {
  return format(
    {
      kinds: ['text'],
      expected,
      json: { type: 'string', pattern: pattern.source, maxLength: limit },
    },
    (value) =>
      typeof value === 'string' &&
      value.length <= limit &&
      pattern.test(value) &&
      !hasControls(value),
    hint,
  );
}

const SECRET_LENGTH = 65_535;

/** Text of any characters but none of length 0; for passwords. */
export const secret: Format<string> = format(
  {
    kinds: ['text'],
    expected: 'text',
    json: { type: 'string', minLength: 1, maxLength: SECRET_LENGTH },
  },
  (value) => typeof value === 'string' && value.length > 0 && value.length <= SECRET_LENGTH,
  textMeant,
);

export function nullable<T>(inner: Format<T>): Format<T | null> {
  return {
    kinds: ['null', ...inner.kinds],
    expected: `${inner.expected}, or null`,
    json: { anyOf: [inner.json, { type: 'null' }] },
    faults: (value) => (value === null ? [] : inner.faults(value)),
  };
}

/** A value of one format or of the other; a list is judged by the format that takes lists. */
export function either<A, B>(first: Format<A>, second: Format<B>): Format<A | B> {
  const expected = `${first.expected}, or ${second.expected}`;
  return {
    kinds: [...first.kinds, ...second.kinds],
    expected,
    json: { anyOf: [first.json, second.json] },
    faults(value) {
      const found = [first.faults(value), second.faults(value)];
      if (found.some((faults) => faults.length === 0)) return [];
      const inside = found.find((faults) => faults.every(({ path }) => path.length > 0));
      const hint = found.flat().find((fault) => fault.hint !== undefined)?.hint;
      return inside ?? [{ path: [], expected, hint }];
    },
  };
}

/** One value, or a list of such: what is no list is judged as one value. */
export function oneOrMany<T>(one: Format<T>, many: Format<readonly T[]>): Format<T | readonly T[]> {
  return {
    ...either(one, many),
    faults: (value) => (Array.isArray(value) ? many : one).faults(value),
  };
}

/** A list of 0 (`min`) to 10 000 (`max`) items; `what` names them, e.g. `labels`. */
export function list<T>(
  item: Format<T>,
  what: string,
  limits: { readonly min?: number; readonly max?: number } = {},
): Format<readonly T[]> {
  const { min = 0, max = 10_000 } = limits;
  const size = min === 0 ? '' : ` (at least ${min})`;
  const expected = `a list of ${what}${size}`;
  return {
    kinds: ['list'],
    expected,
    json: { type: 'array', items: item.json, minItems: min, maxItems: max },
    faults(value) {
      if (!Array.isArray(value) || value.length < min || value.length > max) {
        return [{ path: [], expected, hint: listMeant(value, null) }];
      }
      return faultsInside(value, () => item);
    },
  };
}

/** A list of exactly these items. */
export function tuple<T extends readonly unknown[]>(
  expected: string,
  ...items: { readonly [K in keyof T]: Format<T[K]> }
): Format<T> {
  const formats: readonly Format<unknown>[] = items;
  return {
    kinds: ['list'],
    expected,
    json: {
      type: 'array',
      items: formats.map(({ json }) => json),
      minItems: formats.length,
      maxItems: formats.length,
    },
    faults(value) {
      if (!Array.isArray(value) || value.length !== formats.length) {
        return [{ path: [], expected, hint: listMeant(value, formats.length) }];
      }
      return faultsInside(value, (index) => formats[index]);
    },
  };
}

function faultsInside(
  values: readonly unknown[],
  formatOf: (index: number) => Format<unknown> | undefined,
): readonly Fault[] {
  return values.flatMap((value, index) =>
    (formatOf(index)?.faults(value) ?? []).map((fault) => ({
      ...fault,
      path: [String(index), ...fault.path],
    })),
  );
}

/** `a, b or c`. */
export function orList(values: readonly string[]): string {
  const last = values.at(-1) ?? '';
  return values.length < 2 ? last : `${values.slice(0, -1).join(', ')} or ${last}`;
}
