import { NUMERIC_FORMS } from '../variant.js';

/** JSON Schemas (draft-07) of the catalogue's parts; catalog.ts reads files with them. */

/** Sides of a picture that a network may take, pixels. */
export const LEAST_SIZE = 32;
export const MOST_SIZE = 1024;

/** Safe as a folder, as an MQTT topic level and on a command line. */
export const NAME_PATTERN = '^[a-z0-9][a-z0-9._-]{0,63}$';

const SHA256 = { type: 'string', pattern: '^[0-9a-f]{64}$' };
const PERCENT = { type: ['number', 'null'], minimum: 0, maximum: 100 };
const FILE_NAME = { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$' };
const FORMS = { enum: NUMERIC_FORMS };

const MEMBERS = {
  type: 'array',
  minItems: 1,
  maxItems: 64,
  items: {
    type: 'object',
    additionalProperties: false,
    required: ['path', 'sha256'],
    properties: {
      path: { type: 'string', minLength: 1, maxLength: 255 },
      sha256: { ...SHA256, type: ['string', 'null'] },
      range: {
        type: 'array',
        minItems: 2,
        maxItems: 2,
        items: { type: 'integer', minimum: 0, maximum: 2 ** 31 },
      },
    },
  },
};

const ARCHIVE = { enum: ['tgz', 'zip', 'none'] };

const SOURCE = {
  type: 'object',
  required: ['kind'],
  discriminator: { propertyName: 'kind' },
  oneOf: [
    {
      additionalProperties: false,
      required: ['url', 'archive', 'sha256', 'members'],
      properties: {
        kind: { const: 'https' },
        url: { type: 'string', pattern: '^https?://' },
        archive: ARCHIVE,
        sha256: { ...SHA256, type: ['string', 'null'] },
        members: MEMBERS,
      },
    },
    {
      additionalProperties: false,
      required: ['package', 'version', 'integrity', 'members'],
      properties: {
        kind: { const: 'npm' },
        package: {
          type: 'string',
          pattern: '^(@[a-z0-9~-][a-z0-9._~-]*/)?[a-z0-9~-][a-z0-9._~-]*$',
        },
        version: { type: 'string', pattern: '^[0-9]+\\.[0-9]+\\.[0-9]+[0-9A-Za-z.+-]*$' },
        integrity: { type: 'string', pattern: '^sha512-[A-Za-z0-9+/]{86}==$' },
        members: MEMBERS,
      },
    },
    {
      additionalProperties: false,
      required: ['path', 'archive', 'sha256', 'members'],
      properties: {
        kind: { const: 'file' },
        path: { type: 'string', minLength: 1 },
        archive: ARCHIVE,
        sha256: SHA256,
        members: MEMBERS,
      },
    },
  ],
};

/** What is known of a network whether it is installed or not. */
export const DESCRIPTION_PROPERTIES = {
  name: { type: 'string', pattern: NAME_PATTERN },
  family: { type: 'string', pattern: NAME_PATTERN },
  task: { enum: ['classify', 'detect'] },
  alpha: { type: ['number', 'null'], exclusiveMinimum: 0, maximum: 2 },
  sizes: {
    type: 'array',
    minItems: 1,
    maxItems: 16,
    uniqueItems: true,
    items: { type: 'integer', minimum: LEAST_SIZE, maximum: MOST_SIZE },
  },
  licence: { type: ['string', 'null'] },
  centralCrop: { type: 'number', exclusiveMinimum: 0, maximum: 1 },
  accuracy: {
    type: 'object',
    additionalProperties: false,
    required: ['top1', 'top5', 'map'],
    properties: { top1: PERCENT, top5: PERCENT, map: PERCENT },
  },
  multAdds: {
    type: ['array', 'null'],
    minItems: 1,
    items: { type: 'number', exclusiveMinimum: 0 },
  },
};

const SHARE = { type: 'number', minimum: 0, maximum: 10 };

/** What was measured of each size. */
export const QUALITY = {
  type: 'array',
  minItems: 1,
  maxItems: 16,
  items: {
    type: 'object',
    additionalProperties: false,
    required: ['size', 'matched', 'extra', 'scoreChange', 'hits'],
    properties: {
      size: { type: 'integer', minimum: 1 },
      matched: SHARE,
      extra: SHARE,
      scoreChange: SHARE,
      hits: SHARE,
    },
  },
};

/** Networks that are made for one another and have the same labels: rungs of one ladder. */
export const LADDER = { type: 'string', pattern: NAME_PATTERN };

export const DESCRIPTION_KEYS = Object.keys(DESCRIPTION_PROPERTIES);

const ENTRY = {
  type: 'object',
  additionalProperties: false,
  required: [...DESCRIPTION_KEYS, 'format', 'forms', 'source', 'labels', 'accuracySlim'],
  properties: {
    ...DESCRIPTION_PROPERTIES,
    quality: QUALITY,
    ladder: LADDER,
    format: { enum: ['tflite', 'tfjs', 'safetensors'] },
    forms: { type: 'array', minItems: 1, uniqueItems: true, items: FORMS },
    source: SOURCE,
    labels: FILE_NAME,
    calibration: FILE_NAME,
    accuracySlim: {
      type: ['object', 'null'],
      additionalProperties: false,
      required: ['top1'],
      properties: { top1: PERCENT },
    },
  },
};

export const CATALOG_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['schema', 'defaults', 'models'],
  properties: {
    schema: { const: 1 },
    defaults: {
      type: 'object',
      additionalProperties: false,
      required: ['classify', 'detect'],
      properties: { classify: { type: 'string' }, detect: { type: 'string' } },
    },
    models: { type: 'array', maxItems: 1000, items: ENTRY },
    ladders: {
      type: 'object',
      propertyNames: { pattern: NAME_PATTERN },
      additionalProperties: {
        type: 'array',
        minItems: 1,
        maxItems: 64,
        uniqueItems: true,
        items: { type: 'string', minLength: 1 },
      },
    },
  },
};
