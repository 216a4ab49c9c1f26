import type { Section, ValueOf } from '../schema/section.js';
import type { Message } from './notice.js';

/** How an attempt ended. `why` is for people and holds no secret. */
export type Outcome =
  | { readonly kind: 'done' }
  /** It may work later; not before `afterMs`, where the other side said so. */
  | { readonly kind: 'later'; readonly why: string; readonly afterMs: number | null }
  /** This message will never be taken. */
  | { readonly kind: 'never'; readonly why: string };

/** What channels take from their surroundings. */
export interface ChannelSurroundings {
  readonly fetch: typeof fetch;
  /** Publishes for Home Assistant, and resolves when the broker has it; null: there is no connection. */
  readonly publish: ((payload: object) => Promise<void>) | null;
  /** Environment of commands. */
  readonly env: NodeJS.ProcessEnv;
  /** Where commands run. */
  readonly folder: string;
}

/** Hands one message on. Never rejects: what goes wrong is an outcome. Aborting it gives it up. */
export type Send = (message: Message, signal: AbortSignal) => Promise<Outcome>;

/** A key that a channel cannot do with as it is. */
export interface ChannelFault {
  /** Below the channel's own section. */
  readonly key: readonly string[];
  readonly message: string;
}

/** A way out: one file, and one row of the registry. Nothing else knows it by its name. */
export interface ChannelDescription<K extends Section = Section> {
  /** What it is, in a few words. */
  readonly summary: string;
  readonly keys: K;
  /** Keys whose values may come from the file that `<key>_file` names. */
  readonly secrets: readonly (keyof K & string)[];
  /** Whether a rule has it: its keys are all there, at their defaults, in one that has not. */
  isWanted(values: ValueOf<K>): boolean;
  /** What is wrong with keys that each alone are right. */
  faults(values: ValueOf<K>): readonly ChannelFault[];
  /** Texts with fields in them, by the key that they stand under. */
  templates(values: ValueOf<K>): readonly (readonly [key: string, template: string])[];
  /** Where it leads, for people: without a secret. */
  target(values: ValueOf<K>): string;
  create(values: ValueOf<K>, surroundings: ChannelSurroundings): Send;
}

/** Holds a description to its own keys' types. */
export function describeChannel<const K extends Section>(
  description: ChannelDescription<K>,
): ChannelDescription<K> {
  return description;
}
