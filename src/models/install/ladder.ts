import { basename, join } from 'node:path';
import { builtCheck } from '../../built-check.js';
import { codedError } from '../../errors.js';
import { familyNamed } from '../../families/families.js';
import type { ModelDescription } from '../catalog/catalog.js';
import { LADDER } from '../catalog/catalog-schema.js';
import { readJsonFile } from '../json-file.js';
import type { ModelFiles } from './request.js';

export interface LadderOptions {
  /** Of the ladder; its rungs are named after it. Absent: the one that it was trained under. */
  readonly name?: string;
}

/** One width at one input size of a ladder that `training/train.py` made. */
export interface LadderRung {
  readonly files: ModelFiles & { readonly file: string };
  readonly labels: string;
  readonly description: ModelDescription;
}

export const LADDER_FILE = 'ladder.json';

interface Figures {
  readonly size: number;
  readonly top1: number;
  readonly top5: number;
  /** What `scripts/evaluate-ladder.mjs` measured in eight bits, in the daemon's own pipeline. */
  readonly symmetric?: { readonly top1: number; readonly top5: number };
}

interface LadderDocument {
  readonly name: string;
  readonly family: string;
  readonly labels: string;
  readonly centralCrop: number;
  readonly classes: number;
  readonly licence?: string | null;
  readonly models: readonly {
    readonly alpha: number;
    readonly file: string;
    readonly figures: readonly Figures[];
  }[];
}

const PERCENT = { type: 'number', minimum: 0, maximum: 100 };
const FILE = { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$' };
const FIGURES = {
  type: 'object',
  required: ['size', 'top1', 'top5'],
  properties: {
    size: { type: 'integer', minimum: 32, maximum: 1024 },
    top1: PERCENT,
    top5: PERCENT,
    symmetric: {
      type: 'object',
      required: ['top1', 'top5'],
      properties: { top1: PERCENT, top5: PERCENT },
    },
  },
};

/** Compiled by scripts/build-checks.mjs. */
export const LADDER_SCHEMA = {
  type: 'object',
  required: ['schema', 'name', 'family', 'labels', 'centralCrop', 'classes', 'models'],
  properties: {
    schema: { const: 1 },
    name: LADDER,
    family: { const: 'mobilenet_v1' },
    labels: FILE,
    licence: { type: ['string', 'null'] },
    centralCrop: { type: 'number', exclusiveMinimum: 0, maximum: 1 },
    classes: { type: 'integer', minimum: 1, maximum: 100_000 },
    models: {
      type: 'array',
      minItems: 1,
      maxItems: 16,
      items: {
        type: 'object',
        required: ['alpha', 'file', 'figures'],
        properties: {
          alpha: { type: 'number', exclusiveMinimum: 0, maximum: 1 },
          file: FILE,
          figures: { type: 'array', minItems: 1, maxItems: 16, items: FIGURES },
        },
      },
    },
  },
};

const validate = builtCheck<LadderDocument>('ladder');

/**
 * The rungs of a folder that `training/train.py` wrote, widest and largest first.
 *
 * @throws MND_MODEL_INVALID, naming the place in `ladder.json`; MND_USAGE for a name that cannot be
 */
export async function readLadder(folder: string, options: LadderOptions): Promise<LadderRung[]> {
  const document = await readJsonFile(join(folder, LADDER_FILE), {
    validate,
    code: 'MND_MODEL_INVALID',
    next: `give the folder that training/train.py wrote, with its ${LADDER_FILE}`,
  });
  const ladder = options.name ?? document.name;
  if (!new RegExp(LADDER.pattern).test(ladder) || ladder === 'auto') {
    throw codedError('MND_USAGE', {
      subject: '--name',
      expected: 'small letters, digits, ".", "_", "-"; at most 64, the first a letter or a digit',
      found: JSON.stringify(ladder.slice(0, 100)),
    });
  }
  return document.models.flatMap(({ alpha, file, figures }) =>
    figures.map((own) => ({
      files: { format: 'safetensors' as const, file: join(folder, file), size: own.size },
      labels: join(folder, document.labels),
      description: describeRung(document, ladder, alpha, own),
    })),
  );
}

/** `mobilenetd_things_0.25_96`: α with a decimal point, as in the published networks' names. */
export function rungName(ladder: string, alpha: number, size: number): string {
  return `${ladder}_${Number.isInteger(alpha) ? alpha.toFixed(1) : alpha}_${size}`;
}

function describeRung(
  { family, classes, centralCrop, licence }: LadderDocument,
  ladder: string,
  alpha: number,
  { size, top1, top5, symmetric }: Figures,
): ModelDescription {
  const { multAdds = null } = familyNamed(family)?.describe({ alpha, size, classes }).totals ?? {};
  return {
    name: rungName(ladder, alpha, size),
    family,
    task: 'classify',
    alpha,
    sizes: [size],
    licence: licence ?? null,
    centralCrop,
    accuracy: { top1: symmetric?.top1 ?? top1, top5: symmetric?.top5 ?? top5, map: null },
    multAdds: multAdds === null ? null : [Math.round(multAdds / 1e4) / 100],
    ladder,
  };
}

/** For people. */
export function describeOrigin({ files }: LadderRung): string {
  return `file:${basename(files.file)}`;
}
