import type { Losses } from './contract.js';
import type { Detection } from './detections.js';
import { shifted } from './events.js';
import type { EventBatch, Work } from './session.js';

const MAX_DETECTIONS = 10_000;
const MAX_BATCHES = 256;

/** What waits for the next transaction, within bounds; what does not fit is counted as lost. */
export class WriteQueue {
  readonly #acknowledged = new Set<number>();
  readonly #dropped = { detections: 0, events: 0, messages: 0 };
  #detections: Detection[] = [];
  #batches: EventBatch[] = [];

  addDetections(rows: readonly Detection[]): void {
    const room = MAX_DETECTIONS - this.#detections.length;
    this.#detections.push(...rows.slice(0, room));
    this.#dropped.detections += Math.max(0, rows.length - room);
  }

  addBatch(batch: EventBatch): void {
    this.#batches.push(batch);
    if (this.#batches.length <= MAX_BATCHES) return;
    const lost = this.#batches.shift();
    this.#dropped.events += lost?.events.length ?? 0;
  }

  acknowledge(id: number): void {
    this.#acknowledged.add(id);
  }

  /** Whether a message was acknowledged and is not yet removed. */
  isAcknowledged(id: number): boolean {
    return this.#acknowledged.has(id);
  }

  /** The messages that {@link isAcknowledged} are not in the database any more. */
  forgetAcknowledged(): void {
    this.#acknowledged.clear();
  }

  acknowledged(): number {
    return this.#acknowledged.size;
  }

  isEmpty(): boolean {
    return this.#batches.length + this.#detections.length + this.#acknowledged.size === 0;
  }

  /** All that waits, for one transaction. */
  work(): Work {
    const acknowledged = [...this.#acknowledged];
    return { batches: this.#batches, detections: this.#detections, acknowledged };
  }

  /** The work is on disk. */
  written(work: Work): void {
    for (const id of work.acknowledged) this.#acknowledged.delete(id);
    this.#detections = [];
    this.#batches = [];
  }

  /** The disk refused the work: events and acknowledgements wait, detections are given up. */
  refused(): void {
    this.#dropped.detections += this.#detections.length;
    this.#detections = [];
  }

  /** Part of a work can never be written. */
  lost(work: Work): void {
    this.#dropped.detections += work.detections.length;
    this.#dropped.events += eventsIn(work.batches);
  }

  lostMessages(count: number): void {
    this.#dropped.messages += count;
  }

  /** Nothing will be written any more. */
  abandon(): void {
    this.#dropped.events += eventsIn(this.#batches);
    this.#batches = [];
  }

  /** The clock was set by `step` ms: so are the times of what waits. */
  shift(step: number): void {
    this.#detections = this.#detections.map((row) => ({ ...row, time: row.time + step }));
    this.#batches = this.#batches.map((batch) => ({
      ...batch,
      events: batch.events.map((event) => shifted(event, step)),
      time: batch.time + step,
    }));
  }

  /** Events that wait for the disk. */
  waiting(): number {
    return eventsIn(this.#batches);
  }

  dropped(): Losses {
    return { ...this.#dropped };
  }
}

function eventsIn(batches: readonly EventBatch[]): number {
  return batches.reduce((sum, { events }) => sum + events.length, 0);
}
