import type { PresenceEvent } from '../../presence/event.js';
import type { Topics } from '../topics.js';
import { snapshotAttributes } from './payloads.js';
import type { PictureGate } from './picture-gate.js';
import type { RetainedState } from './retained.js';
import type { TopicWriter } from './topic-writer.js';

/** Pictures of one camera that wait for their turn; a burst of more is not looked at one by one. */
const MAX_WAITING = 16;

/** A picture of a camera, and what it shows. */
export interface Snapshot {
  readonly camera: string;
  readonly jpeg: Uint8Array;
  /** Null: it was asked for. */
  readonly event: PresenceEvent | null;
  /** When it was taken, ms since 1970. */
  readonly time: number;
}

export interface SnapshotTopicsOptions {
  readonly topics: Topics;
  readonly retained: RetainedState;
  readonly writer: TopicWriter;
  readonly gate: PictureGate;
  readonly connected: () => boolean;
}

/**
 * The retained picture of each camera. Each picture of an event stays until the message about the event
 * is out: whoever reads the picture on the event reads this event's.
 */
export class SnapshotTopics {
  readonly #options: SnapshotTopicsOptions;
  readonly #turns = new Map<string, Promise<void>>();
  readonly #waiting = new Map<string, number>();

  constructor(options: SnapshotTopicsOptions) {
    this.#options = options;
  }

  /** Shows a picture when its camera's earlier ones have had their turn. */
  show(snapshot: Snapshot): void {
    const { camera, event } = snapshot;
    const waiting = this.#waiting.get(camera) ?? 0;
    if (waiting >= MAX_WAITING) {
      if (event !== null) this.#options.gate.pass(event.id);
      return;
    }
    this.#waiting.set(camera, waiting + 1);
    // The first one does not wait even for the next microtask.
    const turn = waiting === 0 ? this.#take(snapshot) : this.#after(snapshot);
    this.#turns.set(
      camera,
      turn.finally(() => {
        this.#waiting.set(camera, (this.#waiting.get(camera) ?? 1) - 1);
      }),
    );
  }

  async #after(snapshot: Snapshot): Promise<void> {
    await this.#turns.get(snapshot.camera);
    await this.#take(snapshot);
  }

  async #take({ camera, jpeg, event, time }: Snapshot): Promise<void> {
    const { topics, retained, writer, gate, connected } = this.#options;
    writer.camera(camera, 'snapshotAttributes', snapshotAttributes(event, time));
    writer.camera(camera, 'snapshot', jpeg);
    if (event === null) return;
    await retained.published(topics.camera(camera).snapshot);
    const gone = gate.opened(event.id);
    if (connected()) await gone;
  }
}
