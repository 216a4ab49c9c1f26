import { nearestOf } from '../../nearest.js';

/** What an answer means, or why it means nothing: a sentence fragment without a full stop. */
export type Meaning<T> = { readonly value: T } | { readonly fault: string };

/** Answer to a question about a secret that is to stay what it is. */
export const UNCHANGED = '(as it is)';

export interface Choice {
  /** What the option takes, e.g. `ntfy`. */
  readonly name: string;
  /** What it is, for people. */
  readonly text: string;
}

/** Something that is asked, on a terminal or by an option of the command. */
export interface Question<T> {
  /** The option that answers it, without dashes: `broker-user`. */
  readonly option: string;
  readonly text: string;
  /** Numbered lines above the question. */
  readonly choices?: readonly Choice[];
  /** The answer when there is none; null: it must be answered. */
  readonly fallback: string | null;
  /** Not shown while it is typed; as an option it is the name of a file whose first line it is. */
  readonly secret?: boolean;
  /** What an answer that is no choice's number means; `answer` is trimmed. */
  readonly parse: (answer: string) => Meaning<T> | Promise<Meaning<T>>;
}

/** A question whose answer is one of some names. */
export function choose<N extends string>(
  question: Omit<Question<N>, 'parse' | 'choices'> & {
    readonly choices: readonly { readonly name: N; readonly text: string }[];
  },
): Question<N> {
  return {
    ...question,
    parse(answer) {
      const wanted = answer.toLowerCase();
      const found = question.choices.find(({ name }) => name.toLowerCase() === wanted);
      if (found !== undefined) return { value: found.name };
      const names = question.choices.map(({ name }) => name);
      return { fault: `expected ${listed(names)}; found ${quoted(answer)}${meant(answer, names)}` };
    },
  };
}

export function yesOrNo(option: string, text: string, fallback: boolean): Question<boolean> {
  return {
    option,
    text,
    fallback: fallback ? 'yes' : 'no',
    parse(answer) {
      if (/^(y|yes|true|on)$/i.test(answer)) return { value: true };
      if (/^(n|no|false|off)$/i.test(answer)) return { value: false };
      return { fault: `expected yes or no; found ${quoted(answer)}` };
    },
  };
}

/** ` (did you mean X?)`, or nothing. */
export function meant(answer: string, names: Iterable<string>): string {
  const near = nearestOf(answer, names);
  return near === null ? '' : ` (did you mean ${near}?)`;
}

/** As much of an answer as an error shows. */
export function quoted(answer: string): string {
  return JSON.stringify(answer.slice(0, 60));
}

function listed(names: readonly string[]): string {
  if (names.length < 2) return names.join('');
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}
