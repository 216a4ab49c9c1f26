/** How sure a hit is at most: misses come in rows, as when somebody stands in the way. */
const SUREST = 0.9;
/** Doubt at which an object is taken to have gone: four misses of a variant that always saw it. */
const ENOUGH = 9;
/** Looks of a variant that count; older ones fade. */
const REMEMBERED = 100;
const MOST_VARIANTS = 64;

interface Record {
  readonly variant: string;
  hits: number;
  looks: number;
  /** Looks in vain since it was seen last. */
  missed: number;
}

/**
 * Whether an object that rests has gone, from what the variants in use have seen of it: a variant that
 * hardly ever saw it says little when it does not see it now.
 */
export class Doubt {
  /** A few: the rungs in use. */
  #records: Record[] = [];
  #isMissed = false;

  /** The variant found it. */
  hit(variant: string): void {
    const found = this.#recordOf(variant);
    found.hits += 1;
    found.looks += 1;
    if (this.#isMissed) {
      for (const record of this.#records) {
        record.looks += record.missed;
        record.missed = 0;
        fade(record);
      }
      this.#isMissed = false;
    } else {
      fade(found);
    }
  }

  /** The variant did not find it. */
  miss(variant: string): void {
    this.#recordOf(variant).missed += 1;
    this.#isMissed = true;
  }

  /** Whether the looks in vain since it was seen last are too many to be chance. */
  isEnough(): boolean {
    let doubt = 0;
    for (const { hits, looks, missed } of this.#records) {
      // A variant that has never looked at it sees it as likely as not.
      const likely = Math.min(SUREST, (hits + 1) / (looks + 2));
      doubt -= missed * Math.log(1 - likely);
    }
    return doubt >= ENOUGH;
  }

  #recordOf(variant: string): Record {
    for (const record of this.#records) if (record.variant === variant) return record;
    if (this.#records.length >= MOST_VARIANTS) this.#records = [];
    const made = { variant, hits: 0, looks: 0, missed: 0 };
    this.#records.push(made);
    return made;
  }
}

function fade(record: Record): void {
  if (record.looks <= REMEMBERED) return;
  record.hits /= 2;
  record.looks /= 2;
}
