import type { TeachOrder } from '../../http/contract.js';
import type { Variant } from '../../models/variant.js';
import type { TeachAsked } from '../../mqtt/commands/requests.js';
import { taskOf } from '../../taught/task.js';
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
      return taught.record({
        label: not ? null : (label ?? ''),
        camera: camera ?? '',
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
      const isGiven = camera !== null || zone !== null || of !== null || not;
      const task = isGiven ? taskOf({ camera, zone, of }) : null;
      const { crops, labels } = await taught.forget(not ? null : (label ?? ''), task);
      return { removed: crops, labels };
    }
  }
}
