import type { Config } from '../config/config.js';
import { messageOf } from '../errors.js';
import type { Variant } from '../models/variant.js';
import type { Log } from './diagnostics/log.js';
import type { MixedEngine } from './line/mixed-engine.js';
import { keptOf } from './options/wanted-labels.js';

/** Has the network compute the classes alone that somebody wants to see. */
export class WantedLabels {
  readonly #engine: Pick<MixedEngine, 'setKept' | 'classesOf'>;
  readonly #log: Log;
  #said = '';

  constructor(engine: Pick<MixedEngine, 'setKept' | 'classesOf'>, log: Log) {
    this.#engine = engine;
    this.#log = log;
  }

  /**
   * What is wanted has changed, or what was taught. A network that cannot be loaded so runs on as it is: it
   * would then lack labels, which is said.
   *
   * @param taughtOf labels of the objects that something was taught of
   */
  async apply(config: Config, variant: Variant, taughtOf: readonly string[]): Promise<void> {
    try {
      await this.#engine.setKept(keptOf(config, taughtOf));
      this.#say(variant, this.#engine.classesOf(variant));
    } catch (error) {
      this.#log.error(
        { err: error },
        `labels that are wanted now are not looked for before the next restart: ${messageOf(error)}`,
      );
    }
  }

  #say({ model, labels }: Variant, kept: readonly number[] | null): void {
    const names = kept?.map((index) => labels[index]).join(', ') ?? '';
    const news = `${model}: ${names}`;
    if (news === this.#said) return;
    const isFirst = this.#said === '';
    this.#said = news;
    if (kept !== null) {
      this.#log.info(
        { model, labels: kept.length },
        `${model} looks for the labels alone that cameras name: ${names}`,
      );
    } else if (!isFirst) this.#log.info({ model }, `${model} looks for all of its labels`);
  }
}
