import { codedError } from '../../errors.js';
import type { TeachOrder } from '../../http/contract.js';
import type { Variant } from '../../models/variant.js';
import type { TeachAsked } from '../../mqtt/commands/requests.js';
import { type TaughtTask, taskOf, taskText } from '../../taught/task.js';
import type { TaskCounts } from '../../taught/tasks.js';
import { taughtDocument, taughtReport } from './document.js';
import type { Taught } from './taught.js';

const USUAL_S = 20;

/**
 * Does what is asked over HTTP or MQTT; resolves with a recording, what was removed, or all that was taught.
 *
 * @throws MND_TEACH_…, MND_INPUT_MISSING
 */
export async function runTeachOrder(
  order: TeachOrder | TeachAsked,
  { taught, model }: { readonly taught: Taught; readonly model: { readonly variant: Variant } },
): Promise<object> {
  const { label = null, not = false, camera = null, zone = null, of = null } = order;
  switch (order.do) {
    case 'list':
      return taughtDocument(taught, model.variant.name);
    case 'report':
      return taughtReport(taught, model.variant.name, label);
    case 'record':
      if (camera === null || (label === null && !not)) throw incomplete();
      return taught.record({
        label: not ? null : (label ?? ''),
        camera,
        zone,
        of,
        seconds: order.seconds ?? USUAL_S,
      });
    case 'end':
      return taught.recording(order.id ?? '', true);
    case 'undo': {
      const { crops, labels } = await taught.undo();
      return { removed: crops, labels };
    }
    case 'forget': {
      const isGiven = camera !== null || zone !== null || of !== null;
      const named = isGiven ? taskOf({ camera, zone, of }) : null;
      const task = named === null && not ? placeOf(label, taught.tasks()) : named;
      const { crops, labels } = await taught.forget(not ? null : (label ?? ''), task);
      return { removed: crops, labels };
    }
  }
}

function incomplete(): Error {
  return codedError('MND_TEACH_INVALID', {
    subject: 'record',
    expected: 'camera, and label or not: true',
    found: 'too little',
  });
}

/**
 * The place whose opposite is meant by a label alone: that where it was taught. Without a label it is the whole
 * frame of any camera.
 *
 * @throws MND_INPUT_MISSING, MND_TEACH_INVALID where it was taught of several
 */
function placeOf(label: string | null, tasks: readonly TaskCounts[]): TaughtTask {
  if (label === null) return taskOf({});
  const [only, ...more] = tasks.filter(({ labels }) => labels.some((each) => each.label === label));
  const subject = JSON.stringify(label);
  if (only === undefined) {
    throw codedError('MND_INPUT_MISSING', { subject, expected: 'a label that was taught' });
  }
  if (more.length === 0) return only.task;
  throw codedError('MND_TEACH_INVALID', {
    subject,
    expected: 'camera, zone or of, for it was taught in several ways',
    found: [only, ...more].map(({ task }) => taskText(task)).join('; '),
  });
}
