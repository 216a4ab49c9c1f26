import { listenForCommands } from '../../mqtt/commands/commands.js';
import type { Context } from '../context.js';
import { runTeachOrder } from '../taught/orders.js';
import { type HealthSources, healthPayload } from './health.js';
import type { StopOutput } from './output.js';
import { answerSnapshotRequest, createSnapshotPublisher } from './snapshots.js';

type Using = Pick<
  Context,
  'messaging' | 'overrides' | 'pictures' | 'signals' | 'spots' | 'log' | 'taught' | 'model'
> &
  HealthSources;

/** Listens on MQTT for what can be set and asked for, and shows what is in force. */
export function startCommands(context: Using): StopOutput {
  const { messaging, overrides, cameras, governor, daemon, signals, spots } = context;
  const { connection, topics, publisher } = messaging;
  const publishNext = createSnapshotPublisher(context);

  async function snapshot(name: string | null): Promise<void> {
    const all = cameras.list().filter((camera) => name === null || camera.name === name);
    const using = { messaging, publishNext };
    const taken = await Promise.allSettled(all.map((each) => answerSnapshotRequest(each, using)));
    // Of all cameras some may be away.
    if (taken.some(({ status }) => status === 'fulfilled')) return;
    for (const outcome of taken) if (outcome.status === 'rejected') throw outcome.reason;
  }

  const commands = listenForCommands({
    connection,
    topics,
    retained: publisher.retained,
    actions: {
      setDetect: async (camera, on) => overrides.setDetect(camera, on),
      setThreshold: async (camera, threshold) => overrides.setThreshold(camera, threshold),
      setPin: async (variant) => overrides.setPin(variant),
      setLimit: (limit) => overrides.setLimit(limit),
      snapshot,
      reload: async () => void (await daemon.reload()),
      restart: async () => daemon.restart(),
      health: async () => healthPayload(context),
      wrong: async (asked) => spots.answer(asked),
      teach: (asked) => runTeachOrder(asked, context),
    },
    cameras: () => cameras.list().map(({ name }) => name),
    variants: () => overrides.pinnable(),
    limit: overrides.limits(),
    log: context.log.child({ part: 'mqtt' }),
  });
  const show = () => commands.show(overrides.state());
  let isStopped = false;
  const showGovernor = () => {
    if (isStopped) return;
    // What an earlier run had set says nothing where nobody governs.
    if (governor.limitC() === null) publisher.retained.clear(topics.limitState);
    show();
  };
  const stopListening = signals.on('overrides', show);
  show();
  void governor.known.then(showGovernor);
  void governor.started.then(showGovernor);
  return async () => {
    isStopped = true;
    stopListening();
    await commands.close();
  };
}
