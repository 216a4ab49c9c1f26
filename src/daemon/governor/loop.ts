import { messageOf } from '../../errors.js';
import type { Log } from '../../log.js';
import { FAULTS } from '../../thermal/explain.js';
import type { Decision, ForecastPoint, Governor } from '../../thermal/governor.js';
import type { Sample, SensorFault } from '../../thermal/sample.js';
import { type Clock, every } from '../../time.js';
import type { GovernorState, MeasuredRung } from '../governor-state.js';
import type { Actuators } from './actuators.js';
import { type GovernorHistory, NOTABLE_USE } from './history.js';
import type { GovernorInputs } from './inputs.js';

export interface GovernorLoopOptions {
  readonly law: Governor;
  readonly inputs: GovernorInputs;
  readonly actuators: Actuators;
  readonly history: GovernorHistory;
  readonly clock: Clock;
  readonly log: Log;
  /** Told of every decision that a person would call a change. */
  readonly onChange: (state: GovernorState) => void;
}

/** The board that is governed. */
export interface GovernedBoard {
  readonly rungs: readonly MeasuredRung[];
  /** Temperature never to reach, °C. */
  readonly limitC: number;
  /** Name of the simulated board; null on a real one. */
  readonly simulated: string | null;
  /** Simulated seconds a second; 1 on a real board. */
  readonly speed: number;
}

const SECOND_MS = 1000;
const LEAST_MS = 20;
/** What to do about a sensor of another place. */
const UNRESPONSIVE_ADVICE =
  '; governor.sensor names another zone’s type or a file, governor.enabled: false goes without';

/** Lets the law decide once a (simulated) second, and has its decisions carried out. */
export class GovernorLoop {
  readonly #options: GovernorLoopOptions;
  readonly #stopTicking: () => void;
  #board: GovernedBoard;
  #decision: Decision | null = null;
  #deciding = false;
  #usedSinceSaved = false;
  /** What was last called a change. */
  #lastLogged = '';
  /** The sensor's fault that was last logged. */
  #warnedOf: SensorFault | null = null;

  constructor(board: GovernedBoard, options: GovernorLoopOptions) {
    this.#board = board;
    this.#options = options;
    this.#tick();
    const period = Math.max(LEAST_MS, SECOND_MS / board.speed);
    this.#stopTicking = every(options.clock, period, () => this.#tick());
  }

  /** Null before the first decision. */
  state(): GovernorState | null {
    const { rungs, limitC, simulated } = this.#board;
    const decision = this.#decision;
    if (decision === null) return null;
    const energy = this.#options.inputs.energy();
    return { governs: true, decision, rungs, limitC, energy, simulated };
  }

  /**
   * What the law expects of the temperature while the load stays as it was decided.
   *
   * @param aheadS moments, seconds of the board from now; they come back as real seconds
   */
  forecast(aheadS: readonly number[]): readonly ForecastPoint[] {
    const { speed } = this.#board;
    return this.#options.law
      .forecast(aheadS)
      .map((point) => ({ ...point, aheadS: point.aheadS / speed }));
  }

  setLimit(limitC: number): void {
    this.#board = { ...this.#board, limitC };
  }

  /** Whether frames were labelled since it was last asked: what frames heat is learnt from frames. */
  takeUsed(): boolean {
    const used = this.#usedSinceSaved;
    this.#usedSinceSaved = false;
    return used;
  }

  stop(): void {
    this.#stopTicking();
  }

  #tick(): void {
    if (this.#deciding) return;
    this.#deciding = true;
    this.#decide()
      .catch((error: unknown) =>
        this.#options.log.warn(
          { err: error },
          `governor: a decision was not carried out: ${messageOf(error)}`,
        ),
      )
      .finally(() => {
        this.#deciding = false;
      });
  }

  async #decide(): Promise<void> {
    const { law, inputs, actuators, history } = this.#options;
    const { rungs } = this.#board;
    const sample = await inputs.sample(this.#decision, rungs);
    this.#usedSinceSaved ||= inputs.use() >= NOTABLE_USE;
    const decided = law.decide(sample);
    this.#decision = decided;
    this.#tellFault(decided);
    actuators.coolCameras(decided, sample.timeS);
    // Nobody delivers: there is nothing to decide on, and the board cools by itself.
    if (sample.requestedFps <= 0) return;
    const decision = this.#slowCameras(decided, sample);
    this.#decision = decision;
    if (!(await actuators.apply(decision, rungs, sample.requestedFps))) return;
    history.note(decision, rungs, this.#board.limitC, inputs.use());
    this.#tellChange(decision);
  }

  /** The decision, with what is asked of the cameras. */
  #slowCameras(decision: Decision, { deliveredFps, requestedFps, timeS }: Sample): Decision {
    const labelled = Math.min(1, deliveredFps / requestedFps);
    const part = this.#options.actuators.slowCameras(decision, labelled, timeS);
    if (part >= 1) return decision;
    const asked = `cameras of this board are asked for ${Math.round(100 * part)} % of their frames`;
    return { ...decision, reason: `${decision.reason}; ${asked}` };
  }

  /** A sensor that is no longer believed at all, once, and its return. */
  #tellFault({ mode, fault, temperatureC }: Decision): void {
    const { log } = this.#options;
    if (mode === 'fault' && fault !== null && fault !== this.#warnedOf) {
      this.#warnedOf = fault;
      const next = fault === 'unresponsive' ? UNRESPONSIVE_ADVICE : '';
      log.warn({ fault }, `governor: ${FAULTS[fault]}: it counts as none for now${next}`);
    } else if (fault === null && this.#warnedOf !== null) {
      this.#warnedOf = null;
      const now = temperatureC?.toFixed(1);
      log.info({}, `governor: the temperature sensor is believed again: ${now} °C`);
    }
  }

  /** Only what a person would call a change: limit, rungs, a tenth of the frames, a rate or mode. */
  #tellChange(decision: Decision): void {
    const { limitC, simulated } = this.#board;
    const { low, high, fraction } = decision.mix;
    const [tenths, fps] = [Math.round(fraction * 10), Math.round(decision.fps)];
    const key = [limitC, decision.mode, low, high, tenths, fps].join(' ');
    if (key === this.#lastLogged) return;
    this.#lastLogged = key;
    const board = simulated === null ? '' : ` (simulated ${simulated})`;
    const { mode, reason } = decision;
    this.#options.log.info({ mode, fps: decision.fps }, `governor${board}: ${reason}`);
    const state = this.state();
    if (state !== null) this.#options.onChange(state);
  }
}
