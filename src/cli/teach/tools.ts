import type { Config } from '../../config/config.js';
import type { StatusReport } from '../../control/report.js';
import type { VariantRequest } from '../../models/resolve.js';
import type { Variant } from '../../models/variant.js';
import { Embedder } from '../../taught/embedder.js';
import { shippedNegatives } from '../../taught/negatives.js';
import { CropShelf } from '../../taught/shelf.js';
import type { TaughtTask } from '../../taught/task.js';
import type { CommandContext } from '../command.js';
import { runningDaemon } from './running.js';

/** What the command works with; the network is looked for when it is first needed. */
export interface TeachTools {
  readonly config: Config;
  readonly shelf: CropShelf;
  readonly embedder: Embedder;
  readonly negatives: typeof shippedNegatives;
  /** The network by which pictures of a task are judged. @throws MND_MODEL_… */
  variantFor(task: TaughtTask): Promise<Variant>;
  /** What the daemon of this state folder says of itself, asked once; null: none runs. */
  running(): Promise<StatusReport | null>;
  close(): Promise<void>;
}

export async function openTools(context: CommandContext): Promise<TeachTools> {
  const config = context.loadConfig();
  const { threadsOf } = await import('../../daemon/options/engine.js');
  const { cropBoundsOf, taughtRequest } = await import('../../daemon/options/teach.js');
  const { startEngine } = await import('../../inference/engine.js');
  const { openShelf } = await import('../../models/shelf.js');
  const embedder = new Embedder({ start: () => startEngine({ threads: threadsOf(config) }) });
  const models = openShelf({ dir: config.models_dir, env: context.env });
  const known = new Map<string, Promise<Variant>>();
  let asked: Promise<StatusReport | null> | null = null;
  const running = () => {
    asked ??= runningDaemon(context);
    return asked;
  };
  return {
    config,
    shelf: new CropShelf(config.state_dir, cropBoundsOf(config)),
    embedder,
    negatives: shippedNegatives,
    async variantFor(task) {
      const request = runningRequest(task, await running()) ?? taughtRequest(config, task);
      const key = JSON.stringify(request);
      const found = known.get(key) ?? models.resolve(request);
      known.set(key, found);
      return found;
    },
    running,
    close: () => embedder.close(),
  };
}

/** The network that looks at such pictures in the running daemon, in its form: that of the demo is in no file. */
function runningRequest({ of }: TaughtTask, report: StatusReport | null): VariantRequest | null {
  const running = report?.running ?? null;
  if (running === null) return null;
  const { model, second } = running;
  if (of !== null && second !== null) return { task: 'classify', name: second.name, form: 'auto' };
  return { task: model.task, name: model.name, form: model.form };
}
