import type { Config } from '../config/config.js';
import { messageOf } from '../errors.js';
import type { Context } from './context.js';
import { stopInTurn } from './lifecycle.js';
import type { Part } from './part.js';

/** Puts a part that was built ahead in its place. */
export type Install = () => void;

/** The parts that run now: starts, changes and stops them in the order of the table. */
export class RunningParts {
  readonly #context: Context;
  readonly #running = new Set<Part>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** Starts those that do not run yet; throws what one of them throws, and then the others do not. */
  async start(parts: readonly Part[]): Promise<void> {
    for (const part of parts) {
      this.#context.abort?.throwIfAborted();
      if (this.#running.has(part)) continue;
      await part.start(this.#context);
      this.#running.add(part);
    }
    this.#context.abort?.throwIfAborted();
  }

  /** Stops those that run, the last one first, each within its share of the deadline (ms). */
  async stop(parts: readonly Part[], deadlineMs: number): Promise<void> {
    const { clock, log } = this.#context;
    const running = parts.filter((part) => this.#running.has(part)).reverse();
    for (const part of running) this.#running.delete(part);
    await stopInTurn(
      running.map((part) => ({ name: part.name, stop: () => part.stop(this.#context) })),
      deadlineMs,
      (name, error) => log.warn({ err: error }, `stopping ${name}: ${messageOf(error)}`),
      clock,
    );
  }

  /** Builds what can be built before anything is touched. */
  async prepare(parts: Iterable<Part>, config: Config): Promise<Install[]> {
    const installs: Install[] = [];
    for (const part of parts) {
      if (part.prepare !== undefined) installs.push(await part.prepare(this.#context, config));
    }
    return installs;
  }

  /** What was built ahead and is in its place now. */
  keep(parts: Iterable<Part>): Install[] {
    return [...parts].flatMap((part) => part.keep?.(this.#context) ?? []);
  }

  /** Puts parts that were built ahead in their places; they count as started. */
  install(parts: Iterable<Part>, installs: readonly Install[]): void {
    for (const part of parts) if (part.prepare !== undefined) this.#running.add(part);
    for (const install of installs) install();
  }

  /**
   * Stops what cannot change while it runs, the last part first; then changes or starts every touched
   * part, the first one first. Any step may throw; called once more with what ran before, this brings
   * that back.
   */
  async change(
    next: Config,
    touched: ReadonlySet<Part>,
    installs: readonly Install[],
  ): Promise<void> {
    const context = this.#context;
    context.config = next;
    const parts = [...touched].filter(({ prepare }) => prepare === undefined);
    for (const part of parts.filter(({ change }) => change === null).reverse()) {
      if (this.#running.delete(part)) await part.stop(context);
    }
    this.install(touched, installs);
    for (const part of parts) {
      if (this.#running.has(part)) await part.change?.(context);
      else {
        await part.start(context);
        this.#running.add(part);
      }
    }
  }
}
