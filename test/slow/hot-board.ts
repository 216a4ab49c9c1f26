import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Test } from 'tap';
import type { Config } from '#mobilenetd/config/config.js';
import { loadConfig } from '#mobilenetd/config/load.js';
import { App } from '#mobilenetd/daemon/app.js';
import { realThermometer } from '#mobilenetd/daemon/governor/thermometer.js';
import { Signals } from '#mobilenetd/daemon/signals.js';
import { startEmbeddedBroker } from '#mobilenetd/mqtt/broker/embedded.js';
import { findBoard } from '#mobilenetd/simulator/boards.js';
import { simulatedBoard } from '#mobilenetd/simulator/simulated-board.js';
import { openStore } from '#mobilenetd/store/store.js';
import type { Thermometer } from '#mobilenetd/thermal/thermometer.js';
import { type BoardTree, createBoardTree } from '../integration/board-tree.js';
import { logTo } from '../integration/collected-log.js';
import { installNetworks } from '../integration/random-model.js';
import { lastingFolder } from '../lasting-folder.js';

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
function plantBehind(tree: BoardTree, config: Config, options: HotBoardOptions) {
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

export interface HotDaemonOptions extends HotBoardOptions {
  /** Networks that are installed first. */
  readonly networks: readonly string[];
  readonly mirror: string;
  /** Installs further ones, of one's own, in its state folder. */
  readonly install?: (folder: string) => Promise<void>;
  /** What its camera shows, so many times a second. */
  readonly picture: string;
  readonly fps: number;
  readonly limitC: number;
  /** Further lines of its configuration. */
  readonly lines?: readonly string[];
  /** Default: the best classifier that is installed, in its exact form. */
  readonly model?: object;
  /** Smallest input that the governor may choose, pixels. */
  readonly floorSize?: number;
  /** Further cameras, by name. */
  readonly cameras?: Readonly<Record<string, object>>;
  readonly presence?: object;
}

/** A daemon on a hot board, with a broker; `start` begins, so that one can listen before. */
export async function hotDaemon(t: Test, options: HotDaemonOptions) {
  const { networks, mirror, picture, fps, limitC, lines = [], cameras = {} } = options;
  const { presence = { enter: 0.5, stay: 0.3 } } = options;
  const { model = { task: 'classify', top: 1, form: 'exact' }, floorSize = 128 } = options;
  const front = { source: 'files', path: resolve(picture), loop: true, fps };
  const folder = lastingFolder(t);
  if (networks.length > 0) await installNetworks(folder, networks, mirror);
  await options.install?.(folder);
  const tree = createBoardTree(folder);
  const broker = await startEmbeddedBroker({ host: '127.0.0.1', port: 0 });
  t.teardown(() => broker.close());
  const file = join(folder, 'config.yaml');
  writeFileSync(
    file,
    [
      'node: board',
      `state_dir: ${folder}`,
      `model: ${JSON.stringify(model)}`,
      `presence: ${JSON.stringify(presence)}`,
      ...lines,
      `governor: { sysfs_root: ${tree.sysfs}, proc_root: ${tree.proc}, limit: ${limitC}, floor_size: ${floorSize} }`,
      `mqtt: { url: "${broker.url}" }`,
      `cameras: ${JSON.stringify({ front, ...cameras })}`,
    ].join('\n'),
  );
  const { config } = loadConfig({ files: [file], env: {} });
  const { thermometer, dieC } = plantBehind(tree, config, options);
  const log: string[] = [];
  const signals = new Signals(logTo(log));
  const daemon = new App({
    config,
    env: { ...process.env, MOBILENETD_STATE: folder },
    log: logTo(log),
    thermometer,
    signals,
  });
  let running = false;
  const stop = async () => {
    if (!running) return;
    running = false;
    await daemon.stop(5000);
  };
  t.teardown(stop);
  return {
    /** Its state folder and its configuration. */
    folder,
    file,
    broker,
    signals,
    /** Every temperature of the die so far, °C. */
    dieC,
    log,
    async start() {
      await daemon.start();
      running = true;
    },
    stop,
    /** What it has stored; for a daemon that has stopped. */
    openStore: () =>
      openStore({
        file: join(folder, 'mobilenetd.db'),
        commitInterval: 2,
        detectionInterval: 1,
        retention: { days: 30, maxBytes: 1e9 },
        outbox: { maxAge: 3600, maxRows: 1000 },
      }),
  };
}
