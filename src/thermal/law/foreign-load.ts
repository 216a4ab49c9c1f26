/** Splits CPU utilisation into our share and everybody else's. */
export interface ForeignLoadState {
  /** CPU utilisation of inference that runs all the time, 0 to 1; null until seen. */
  readonly share: number | null;
}

/** What the last second tells of the CPU; fractions of all of it, null where unknown. */
export interface CpuUse {
  readonly cpuUtil: number | null;
  /** What this process took. */
  readonly ownCpu: number | null;
  /** Wall time of a frame relative to its measured cost. */
  readonly slowdown: number | null;
}

export interface ForeignLoad {
  /** Takes a second and our own load in it. Returns the foreign load. */
  update(use: CpuUse, ownLoad: number, dtS: number): number;
  /** What a full inference load takes of the CPU, 0 to 1, as far as is known. */
  readonly share: number;
  state(): ForeignLoadState;
}

/** Where nothing tells, the others take what they took over so long, s. */
const USUAL_S = 60;
/** Own load below which its share of the CPU cannot be told. */
const LEAST_OWN = 0.1;
const NOISE = 0.02;
const MOST = 4;
const LEAST_SHARE = 0.2;
/** The share is the lower envelope of utilisation per own load: down in seconds, up over an hour. */
const SHARE_DOWN_S = 8;
const SHARE_UP_S = 3600;
/** With our own CPU time it is known, and followed. */
const SHARE_KNOWN_S = 30;
/** Share of the CPU that inference is taken to keep busy until it has been seen. */
const USUAL_SHARE = 0.9;
/** A frame this much slower than measured shares the CPU. */
const SLOWED = 1.15;

/**
 * Foreign load is counted in units of full inference load: what takes the same share of the CPU is
 * taken to make the same heat (the observer learns the ratio).
 */
export function createForeignLoad(restore?: ForeignLoadState): ForeignLoad {
  let share = restore?.share ?? null;
  let usual = 0;

  const learn = (used: number, ownLoad: number, known: boolean, dtS: number): void => {
    if (ownLoad < LEAST_OWN) return;
    const seen = Math.min(1, Math.max(LEAST_SHARE, used / Math.min(1, ownLoad)));
    share ??= seen;
    const tau = known ? SHARE_KNOWN_S : seen < share ? SHARE_DOWN_S : SHARE_UP_S;
    share += (seen - share) * (1 - Math.exp(-dtS / tau));
  };

  const foreignOf = (use: CpuUse, ownLoad: number, dtS: number): number => {
    const { cpuUtil, ownCpu, slowdown } = use;
    if (!isFraction(cpuUtil)) {
      return slowdown === null ? usual : bySlowdown(slowdown, share ?? USUAL_SHARE);
    }
    const exact = ownCpu !== null;
    learn(exact ? ownCpu : cpuUtil, ownLoad, exact, dtS);
    const unit = share ?? (exact ? USUAL_SHARE : 1);
    const ours = exact ? ownCpu : unit * Math.min(1, ownLoad);
    return Math.min(MOST, Math.max(0, cpuUtil - ours - NOISE) / unit);
  };

  return {
    update(use, ownLoad, dtS) {
      const foreign = foreignOf(use, ownLoad, dtS);
      usual += (foreign - usual) * (1 - Math.exp(-dtS / USUAL_S));
      return foreign;
    },
    get share() {
      return share ?? USUAL_SHARE;
    },
    state: () => ({ share }),
  };
}

function isFraction(value: number | null): value is number {
  return value !== null && Number.isFinite(value) && value >= 0 && value <= 1.05;
}

/** Frames that take longer wait for a CPU that others use. */
function bySlowdown(slowdown: number, share: number): number {
  if (slowdown < SLOWED) return 0;
  return Math.max(0, 1 - share / slowdown) / share;
}

export function isForeignLoadState(value: unknown): value is ForeignLoadState {
  if (typeof value !== 'object' || value === null) return false;
  const { share } = value as Partial<ForeignLoadState>;
  return share === null || (Number.isFinite(share) && Number(share) > 0);
}
