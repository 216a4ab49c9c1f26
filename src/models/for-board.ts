import type { Catalog, CatalogEntry } from './catalog/catalog.js';

/** What decides how much a board can run. */
export interface Board {
  /** Bytes of memory in all. */
  readonly memory: number;
  /** Cores that this process may use. */
  readonly cores: number;
  /** The processor, as `describeProcessor` names it. */
  readonly processor: string;
}

/** A model of a ladder that is not for this board. */
export interface LeftOut {
  readonly name: string;
  readonly why: string;
}

export interface BoardChoice {
  readonly names: readonly string[];
  readonly leftOut: readonly LeftOut[];
}

/** Less memory than this (a board of "1 GB" has 0.9) holds one network, at several sizes or not. */
const ROOM_FOR_SEVERAL = 1.5e9;

/** 64-bit ARM cores that work through their instructions in order: a third of what a Cortex-A72 does. */
const SLOW_CORES = /Cortex-A(?:34|35|53|55)\b/;
const ENOUGH_CORES = 4;

/** Millions of multiply-adds that a weak board does in a time worth waiting for. */
const MOST_WORK_OF_WEAK = 800;

/**
 * The models that ladders of the catalogue mean on this board; any other name as it is. The first model of a
 * ladder is always among them.
 */
export function chooseForBoard(
  { ladders = {}, models }: Catalog,
  names: readonly string[],
  board: Board,
): BoardChoice {
  const leftOut: LeftOut[] = [];
  const chosen = names.flatMap((name) => {
    const members = Object.hasOwn(ladders, name) ? (ladders[name] ?? []) : [name];
    return members.filter((member, at) => {
      const entry = models.find((own) => own.name === member);
      const why = at === 0 || entry === undefined ? null : tooMuchFor(board, entry);
      if (why !== null) leftOut.push({ name: member, why });
      return why === null;
    });
  });
  return { names: [...new Set(chosen)], leftOut };
}

function tooMuchFor({ memory, cores, processor }: Board, entry: CatalogEntry): string | null {
  if (entry.task === 'detect' && memory < ROOM_FOR_SEVERAL) {
    return `${Math.round(memory / 1e6)} MB of memory are for one detector`;
  }
  const [work = 0] = entry.multAdds ?? [];
  const slow = SLOW_CORES.test(processor);
  if ((slow || cores < ENOUGH_CORES) && work > MOST_WORK_OF_WEAK) {
    return `${Math.round(work)} million multiply-adds are too many for ${slow ? processor : `${cores} cores`}`;
  }
  return null;
}
