import type { TaughtFigures } from '../../control/report.js';
import type { TrainedHead } from '../../taught/trained.js';

/** What a head is worth, as it is told to the world. */
export function figuresOf({ report, quality }: Omit<TrainedHead, 'head'>): TaughtFigures {
  return {
    accuracy: report.accuracy,
    false_accepts: report.falseAccepts,
    quality,
    labels: report.labels.map(({ label, recall, precision }) => ({ label, recall, precision })),
  };
}
