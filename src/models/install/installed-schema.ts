import {
  DESCRIPTION_KEYS,
  DESCRIPTION_PROPERTIES,
  LADDER,
  MOST_SIZE,
  QUALITY,
} from '../catalog/catalog-schema.js';
import { NUMERIC_FORMS } from '../variant.js';

const TEXT = { type: 'string', minLength: 1, maxLength: 1000 };
const NAME = { type: 'string', minLength: 1, maxLength: 200 };
const COUNT = { type: 'integer', minimum: 1, maximum: 100_000 };
const SHARE = { type: 'number', minimum: 0, maximum: 1 };
const COLUMN = { type: 'integer', minimum: 0, maximum: 100_000 };
const POSITIVE = { type: 'number', exclusiveMinimum: 0 };

function object(properties: Readonly<Record<string, unknown>>): object {
  return {
    type: 'object',
    additionalProperties: false,
    required: Object.keys(properties),
    properties,
  };
}

const OUTPUT = object({
  name: NAME,
  type: { enum: ['uint8', 'float32'] },
  scale: POSITIVE,
  zeroPoint: { type: 'integer', minimum: 0, maximum: 255 },
});

const CLASSIFIER = {
  additionalProperties: false,
  required: ['classes', 'logits'],
  properties: {
    kind: { const: 'classifier' },
    classes: COUNT,
    scores: { enum: ['softmax', 'sigmoid', 'probability'] },
    logits: OUTPUT,
  },
};

const SUPPRESSION = {
  type: 'object',
  additionalProperties: false,
  required: ['maxDetections', 'maxClassesPerBox', 'overlap', 'leastScore'],
  properties: {
    maxDetections: COUNT,
    maxClassesPerBox: { type: ['integer', 'null'], minimum: 1, maximum: 1000 },
    maxPerClass: COUNT,
    overlap: SHARE,
    leastScore: SHARE,
  },
};

const SSD = {
  additionalProperties: false,
  required: ['classes', 'layers', 'anchors', 'boxScales'],
  properties: {
    kind: { const: 'ssd' },
    classes: COUNT,
    background: { type: 'boolean' },
    layers: {
      type: 'array',
      minItems: 1,
      maxItems: 16,
      items: object({ boxes: OUTPUT, scores: OUTPUT, stride: COUNT }),
    },
    anchors: object({
      referenceSize: COUNT,
      minScale: POSITIVE,
      maxScale: POSITIVE,
      aspectRatios: { type: 'array', minItems: 1, maxItems: 16, items: POSITIVE },
      reduceBoxesInLowestLayer: { type: 'boolean' },
      interpolatedScaleAspectRatio: { type: 'number', minimum: 0 },
    }),
    boxScales: { type: 'array', items: POSITIVE, minItems: 4, maxItems: 4 },
    suppression: SUPPRESSION,
  },
};

const GRID = {
  additionalProperties: false,
  required: ['classes', 'rows', 'columns', 'scores', 'cells'],
  properties: {
    kind: { const: 'grid' },
    classes: COUNT,
    rows: COUNT,
    columns: COUNT,
    scores: { enum: ['softmax', 'sigmoid', 'probability'] },
    cells: OUTPUT,
  },
};

const CELL_BOXES = {
  additionalProperties: false,
  required: ['strides', 'outputs', 'planar', 'columns', 'boxes', 'bins', 'point'],
  properties: {
    kind: { const: 'cells' },
    strides: { type: 'array', maxItems: 8, items: COUNT },
    outputs: { type: 'array', minItems: 1, maxItems: 16, items: OUTPUT },
    planar: { type: 'array', minItems: 1, maxItems: 16, items: { type: 'boolean' } },
    columns: object({
      scores: COLUMN,
      boxes: COLUMN,
      objectness: { ...COLUMN, type: ['integer', 'null'] },
    }),
    boxes: { enum: ['middle', 'corners', 'shares', 'offsets', 'distances'] },
    bins: COUNT,
    point: SHARE,
  },
};

const LISTED_BOXES = {
  additionalProperties: false,
  required: ['outputs', 'columns', 'rowsFirst', 'unit'],
  properties: {
    kind: { const: 'list' },
    outputs: { type: 'array', minItems: 1, maxItems: 3, items: OUTPUT },
    columns: {
      type: ['object', 'null'],
      additionalProperties: false,
      required: ['box', 'score', 'label'],
      properties: { box: COLUMN, score: COLUMN, label: COLUMN },
    },
    rowsFirst: { type: 'boolean' },
    unit: { enum: ['pixels', 'shares'] },
  },
};

const BOXES = {
  additionalProperties: false,
  required: ['classes', 'background', 'layout', 'suppression'],
  properties: {
    kind: { const: 'boxes' },
    classes: COUNT,
    background: { type: 'boolean' },
    layout: {
      type: 'object',
      required: ['kind'],
      discriminator: { propertyName: 'kind' },
      oneOf: [CELL_BOXES, LISTED_BOXES],
    },
    suppression: SUPPRESSION,
  },
};

const SIDE = { type: 'integer', minimum: 1, maximum: MOST_SIZE };

const FORM = object({
  file: { type: 'string', pattern: '^model\\.(exact|symmetric|reduced|float32)\\.onnx$' },
  sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' },
  bytes: { type: 'integer', minimum: 1 },
  input: {
    type: 'object',
    additionalProperties: false,
    required: ['name', 'sizes'],
    properties: {
      name: NAME,
      sizes: DESCRIPTION_PROPERTIES.sizes,
      sides: { type: 'array', items: SIDE, minItems: 2, maxItems: 2 },
    },
  },
  head: {
    type: 'object',
    required: ['kind'],
    discriminator: { propertyName: 'kind' },
    oneOf: [CLASSIFIER, SSD, GRID, BOXES],
  },
  // For people; what is in it may change with the converter.
  report: { type: 'object' },
});

export const INSTALLED_SCHEMA = {
  type: 'object',
  required: ['schema', 'convertedBy', 'origin', 'forms', ...DESCRIPTION_KEYS],
  properties: {
    ...DESCRIPTION_PROPERTIES,
    quality: QUALITY,
    ladder: LADDER,
    schema: { const: 1 },
    convertedBy: TEXT,
    origin: object({
      source: TEXT,
      files: {
        type: 'array',
        minItems: 1,
        items: object({ name: TEXT, sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' } }),
      },
    }),
    forms: {
      type: 'object',
      additionalProperties: false,
      minProperties: 1,
      // One rule for all forms: a rule for each is compiled for each, a quarter of a start's CPU.
      patternProperties: { [`^(${NUMERIC_FORMS.join('|')})$`]: FORM },
    },
  },
};
