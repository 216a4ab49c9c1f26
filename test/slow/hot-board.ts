import type { Config } from '#mobilenetd/config/config.js';
import { realThermometer } from '#mobilenetd/daemon/governor/thermometer.js';
import { findBoard } from '#mobilenetd/simulator/boards.js';
import { simulatedBoard } from '#mobilenetd/simulator/simulated-board.js';
import type { Thermometer } from '#mobilenetd/thermal/thermometer.js';
import type { BoardTree } from '../integration/board-tree.js';

export interface HotBoardOptions {
  /** A row of simulator/boards.ts. */
  readonly board: string;
  readonly ambientC: number;
  /** How warm it has become before the daemon starts, °C. */
  readonly fromC: number;
  /** Seconds of the board, and of the governor, in a second. */
  readonly speed: number;
  /** How much slower the board is than the one it is named after. */
  readonly slower: number;
  /** What other programs take of the whole CPU now, 0 to 1. */
  readonly others?: () => number;
}

/** What the daemon itself takes of a Pi's CPU besides inference. */
const REST_UTIL = 0.05;

/**
 * A simulated board behind a fake /sys and /proc, which the daemon reads with its own code. The plant advances as
 * far as the governor's clock does, whatever this machine's speed.
 */
export function plantBehind(tree: BoardTree, config: Config, options: HotBoardOptions) {
  const { ambientC, speed, slower, others = () => 0 } = options;
  const board = simulatedBoard({ board: options.board, ambientC, speed });
  while (board.dieC < options.fromC) board.step(1, 0.9);
  const real = realThermometer(config);
  const known = findBoard(options.board);
  const dieC: number[] = [];
  const thermometer: Thermometer = {
    speed,
    simulated: options.board,
    costMs: ({ multAdds }) =>
      slower * ((known?.overheadMs ?? 0) + (known?.msPerMillion ?? 0) * (multAdds ?? 0)),
    async read(dtS, busy) {
      const util = Math.min(1, busy + REST_UTIL + others());
      const { tempC, throttledFlags } = board.step(dtS, util);
      dieC.push(board.dieC);
      tree.write(tempC, throttledFlags, util);
      return real.read(dtS, busy);
    },
  };
  return { thermometer, dieC };
}
