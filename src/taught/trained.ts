import type { Head } from '../teach/head.js';
import type { HeadReport } from '../teach/report.js';

/** A task's head for one variant, and what it is worth. */
export interface TrainedHead {
  readonly head: Head;
  readonly report: HeadReport;
  /** 0 to 1: what the variant is worth for the task, by leaving pictures out; null: not known. */
  readonly quality: number | null;
}

/** What the training thread is given: embeddings one after the other, and what each shows. */
export interface TrainingInput {
  readonly labels: readonly (string | null)[];
  readonly ids: readonly string[];
  readonly dimension: number;
  readonly examples: Float32Array;
  readonly negatives: Float32Array;
}

/** What it answers; a head as text, since functions do not pass from thread to thread. */
export type TrainingAnswer =
  | {
      readonly ok: true;
      readonly head: string;
      readonly report: HeadReport;
      readonly quality: number | null;
    }
  | { readonly ok: false; readonly message: string };
