import { codedError } from '../../errors.js';
import type { PageSource } from '../../http/contract.js';
import type { Context } from '../context.js';
import { runTeachOrder } from '../taught/orders.js';
import { answerSnapshotRequest, createSnapshotPublisher } from './snapshots.js';

/** What users of the page may do; parts are asked for anew every time, since a reload exchanges them. */
export function pageActions(context: Context): PageSource['actions'] {
  const publishNext = createSnapshotPublisher(context);
  return {
    setDetect: async (camera, on) => context.overrides.setDetect(camera, on),
    async setThreshold(camera, threshold) {
      context.overrides.setThreshold(camera, threshold ?? 'auto');
    },
    async snapshot(name) {
      const { messaging, cameras } = context;
      const wanted = cameras.list().filter((camera) => name === null || camera.name === name);
      await Promise.all(
        wanted.map((camera) => answerSnapshotRequest(camera, { messaging, publishNext })),
      );
    },
    async setPin(variant) {
      const { overrides } = context;
      if (variant !== 'auto' && !overrides.pinnable().includes(variant)) {
        throw codedError('MND_MODEL_UNKNOWN', {
          subject: variant,
          expected: ['auto', ...overrides.pinnable()].join(', '),
        });
      }
      overrides.setPin(variant);
    },
    setLimit: (limit) => context.overrides.setLimit(limit),
    reload: () => context.daemon.reload(),
    checkConfig: async (yaml) => context.inspection?.check(yaml) ?? [],
    wrong: async (event) => context.spots.wrong(event),
    undoWrong: async (spot) => context.spots.undo(spot),
    teach: (order) => runTeachOrder(order, context),
    async forget(id) {
      if (!context.store.forgetEvent(id)) {
        throw codedError('MND_INPUT_MISSING', {
          subject: `event ${id.slice(0, 64)}`,
          expected: 'one that is over',
        });
      }
      await context.eventPictures.shelf?.remove(id);
    },
  };
}
