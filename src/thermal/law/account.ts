/** Milliseconds of a frame: as it was, and as it should be by either account. */
export interface Frame {
  readonly latencyMs: number;
  /** Cost of the rung that the caller names. */
  readonly named: number;
  /** Cost of a frame of the mix. */
  readonly mixed: number;
}

/**
 * Whether a caller runs the rung that it names for a whole second, or mixes frames whatever it names: what
 * fits the latencies better.
 */
export interface Account {
  /** @param isFree nobody waits for the CPU, so that latency is cost */
  update(frame: Frame, isFree: boolean): void;
  /** A second in which both are the same: the next one has none before it. */
  pause(): void;
  readonly isMixed: boolean;
}

/** Memory of how well each account of the latency fits, in samples. */
const MEMORY = 20;
/** How much better "it mixes" must fit. */
const CLEARLY = 0.002;

/**
 * Beside a neighbour all frames are slower, and those of the cheaper rung look like frames of the mix. But
 * from one second to the next they are slower alike: then the *change* of the latency is compared.
 */
export function createAccount(): Account {
  let before: Frame | null = null;
  // Mean squared errors of the logarithm.
  let misfitRung = 0;
  let misfitMix = CLEARLY;

  const compare = (byRung: number, byMix: number): void => {
    misfitRung += (byRung ** 2 - misfitRung) / MEMORY;
    misfitMix += (byMix ** 2 + CLEARLY - misfitMix) / MEMORY;
  };

  return {
    update(now, isFree) {
      const was = before;
      before = now;
      if (isFree) {
        compare(Math.log(now.latencyMs / now.named), Math.log(now.latencyMs / now.mixed));
      }
      if (was === null) return;
      const slower = Math.log(now.latencyMs / was.latencyMs);
      const byRung = slower - Math.log(now.named / was.named);
      const byMix = slower - Math.log(now.mixed / was.mixed);
      // Where both expect the same change, nothing is learnt.
      if (Math.abs(byRung - byMix) > CLEARLY) compare(byRung, byMix);
    },
    pause() {
      before = null;
    },
    get isMixed() {
      return misfitMix < misfitRung;
    },
  };
}
