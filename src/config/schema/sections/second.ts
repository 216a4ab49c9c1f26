import { either, integer, list, nullable, number, oneOf } from '../../../schema/format.js';
import type { Section } from '../../../schema/section.js';
import { key } from '../../../schema/section.js';
import { label } from '../../../schema/text.js';
import { modelName } from '../formats.js';

export const SECOND = {
  name: key(
    nullable(modelName),
    null,
    'Classifier that looks at each object found, once when it is new and again when it has grown; auto takes the best installed. Null: none does.',
  ),
  of: key(
    list(label, 'labels', { max: 100 }),
    [],
    'Labels and groups whose objects it looks at; at least one.',
  ),
  labels: key(
    either(oneOf('all'), list(label, 'labels', { min: 1 })),
    'all',
    'Labels of the classifier that count.',
  ),
  min_size: key(
    integer(1, 8192, 'pixels'),
    64,
    'Objects whose longer side is shorter are left alone, pixels of the frame.',
  ),
  min_score: key(number(0, 1), 0.3, 'Least score of a label that is told.'),
} as const satisfies Section;
