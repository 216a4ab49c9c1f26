import { codedError } from '../../errors.js';
import type { Meaning, Question } from './question.js';

/** Where people answer. */
export interface Prompt {
  /** One line; rejects when the terminal is closed or the user has had enough. */
  readLine(question: string, secret: boolean): Promise<string>;
}

export interface AskerOptions {
  /** By option, without dashes. */
  readonly answers: Readonly<Record<string, string>>;
  /** Null: nobody is asked, the fallbacks are taken. */
  readonly prompt: Prompt | null;
  /** Tells people something. */
  readonly say: (text: string) => void;
  /** First line of a file. */
  readonly readSecret: (file: string) => string;
}

/** Gets answers from the command's options, from a terminal, or from the fallbacks. */
export class Asker {
  readonly #options: AskerOptions;
  readonly #used = new Set<string>();

  constructor(options: AskerOptions) {
    this.#options = options;
  }

  say(text = ''): void {
    this.#options.say(text);
  }

  /** Whether a person can be asked again. */
  get canAsk(): boolean {
    return this.#options.prompt !== null;
  }

  /** @throws MND_USAGE for an option that means nothing, and where nobody answers what must be answered */
  async ask<T>(question: Question<T>): Promise<T> {
    const { option } = question;
    const given = this.#options.answers[option];
    if (given !== undefined && !this.#used.has(option)) {
      this.#used.add(option);
      return this.#fromOption(question, given);
    }
    return this.#options.prompt === null
      ? this.#fromFallback(question)
      : this.#fromTerminal(question, this.#options.prompt);
  }

  /** @throws MND_USAGE where an option was given that nothing asked for, but for those that may still be */
  requireAllUsed(later: readonly string[]): void {
    const left = Object.keys(this.#options.answers).filter(
      (option) => !this.#used.has(option) && !later.includes(option),
    );
    if (left.length === 0) return;
    throw codedError('MND_USAGE', {
      subject: 'setup',
      found: `${left.map((option) => optionOf(option)).join(', ')}, which the other answers leave no use for`,
      next: 'leave it out, or choose what it belongs to',
    });
  }

  async #fromOption<T>(question: Question<T>, given: string): Promise<T> {
    const { option, secret = false } = question;
    const answer = secret ? this.#options.readSecret(given) : given;
    const meaning = await meaningOf(question, answer);
    if ('value' in meaning) return meaning.value;
    throw codedError('MND_USAGE', { subject: optionOf(option, secret), found: meaning.fault });
  }

  async #fromFallback<T>(question: Question<T>): Promise<T> {
    const { option, fallback, text, secret = false } = question;
    const meaning = fallback === null ? null : await meaningOf(question, fallback);
    if (meaning !== null && 'value' in meaning) return meaning.value;
    throw codedError('MND_USAGE', {
      subject: 'setup',
      expected: `${optionOf(option, secret)}, since nobody can be asked: ${text}`,
      found: meaning === null ? 'nothing' : meaning.fault,
    });
  }

  async #fromTerminal<T>(question: Question<T>, prompt: Prompt): Promise<T> {
    const { choices = [], fallback, text, secret = false } = question;
    for (const [index, choice] of choices.entries()) {
      this.say(`  ${index + 1}  ${choice.text}`);
    }
    const hint = fallback === null || secret ? '' : ` [${numberOf(question, fallback)}]`;
    for (;;) {
      const line = await prompt.readLine(`${text}${hint}: `, secret);
      const number = /^\d{1,2}$/.test(line.trim()) ? Number(line) : 0;
      const empty = fallback !== null && line.trim() === '';
      const answer = empty ? fallback : (choices[number - 1]?.name ?? line);
      const meaning = await meaningOf(question, answer);
      if ('value' in meaning) return meaning.value;
      this.say(`  ${meaning.fault}.`);
    }
  }
}

function optionOf(option: string, secret = false): string {
  return `--${option}${secret && !option.endsWith('-file') ? '-file' : ''}`;
}

function numberOf<T>({ choices = [] }: Question<T>, fallback: string): string {
  const index = choices.findIndex(({ name }) => name === fallback);
  return index < 0 ? fallback : String(index + 1);
}

/** Longest answer that is looked at. */
const MAX_ANSWER = 4096;

async function meaningOf<T>(question: Question<T>, answer: string): Promise<Meaning<T>> {
  const { secret = false } = question;
  const trimmed = secret ? answer : answer.trim();
  if (trimmed === '') return { fault: 'expected an answer; found nothing' };
  if (trimmed.length > MAX_ANSWER) {
    return { fault: `expected at most ${MAX_ANSWER} characters; found ${trimmed.length}` };
  }
  // What cannot be seen was not meant, and does not belong into a file.
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(trimmed)) {
    return { fault: 'expected letters that can be seen; found control characters' };
  }
  return question.parse(trimmed);
}
