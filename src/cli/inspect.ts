import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import type { LayerReport } from '../convert/layers.js';
import { codedError } from '../errors.js';
import type { ChannelUse } from '../inference/channels.js';
import type { FormRecord } from '../models/install/conversion.js';
import type { InstalledModel } from '../models/install/installed.js';
import type { Shelf } from '../models/shelf.js';
import { NUMERIC_FORMS, type NumericForm } from '../models/variant.js';
import { PACKAGE_ROOT } from '../package-root.js';

import type { CommandContext } from './command.js';
import { writeJsonLine, writeLine } from './output.js';
import { formatTable, TABLE_WIDTH } from './table.js';

interface InspectFlags {
  readonly form?: NumericForm;
  readonly wide?: boolean;
  readonly json?: boolean;
}

/** A photo that comes with the program, for who names no picture. */
const PHOTO = join(PACKAGE_ROOT, 'assets/demo/coffee.jpg');

export function registerInspect(
  models: Command,
  context: CommandContext,
  shelfOf: (context: CommandContext) => Promise<Shelf>,
): void {
  models
    .command('inspect')
    .description('the layers of an installed model, their ranges, and what quantizing did to them')
    .argument('<name>', 'the model')
    .argument('[picture...]', 'pictures on which channels are watched (default: a shipped photo)')
    .addOption(new Option('--form <form>', 'numeric form').choices(NUMERIC_FORMS))
    .option('--wide', 'all columns, whole names')
    .option('--json', 'one JSON object a layer, then one with the report')
    .action(async (name: string, pictures: string[], flags: InspectFlags) => {
      const shelf = await shelfOf(context);
      const model = await installedModel(shelf, name);
      const { pickForm } = await import('../models/resolve.js');
      const form = pickForm(model, flags.form ?? 'auto');
      const record = model.forms[form];
      if (record === undefined) throw codedError('MND_INTERNAL', { subject: `${name} (${form})` });
      // Models that an older version installed have no layers in their report.
      const layers = record.report.layers ?? [];
      const files = pictures.length === 0 ? [PHOTO] : pictures;
      const uses = await watchChannels(model, { form, record, layers, files });
      if (flags.json) {
        for (const layer of layers) {
          const use = uses.get(layer.name);
          writeJsonLine(context.stdout, { ...layer, channels: use ?? null });
        }
        writeJsonLine(context.stdout, summaryOf(model, form, record, files.length));
        return;
      }
      writeLine(
        context.stdout,
        inspectText(model, { form, record, layers, uses, files }, flags.wide === true),
      );
    });
}

/** @throws MND_MODEL_MISSING, MND_MODEL_UNKNOWN */
async function installedModel(shelf: Shelf, name: string): Promise<InstalledModel> {
  const installed = await shelf.installed();
  const { variantName } = await import('../models/install/installed.js');
  const found = installed.find(
    (model) => model.name === name || model.sizes.some((size) => variantName(model, size) === name),
  );
  if (found !== undefined) return found;
  const known = (await shelf.list()).map((entry) => entry.name);
  if (known.includes(name)) {
    throw codedError('MND_MODEL_MISSING', {
      subject: name,
      next: `run: mobilenetd models pull ${name}`,
    });
  }
  const { unknownModel } = await import('../models/resolve.js');
  throw unknownModel(name, known);
}

interface Inspection {
  readonly form: NumericForm;
  readonly record: FormRecord;
  readonly layers: readonly LayerReport[];
  readonly files: readonly string[];
}

/** By layer; empty for a network without quantized results. */
async function watchChannels(
  model: InstalledModel,
  { form, record, layers, files }: Inspection,
): Promise<ReadonlyMap<string, ChannelUse>> {
  const [size = 0] = model.sizes;
  if (!layers.some(({ range }) => range !== null)) return new Map();
  const { measureChannels } = await import('../inference/channels.js');
  const { networkInput } = await import('../inference/network-input.js');
  const pictures: Uint8Array[] = [];
  for (const file of files) pictures.push(await networkInput(file, size, model.centralCrop));
  const bytes = await readFile(join(model.folder, record.file));
  const uses = await measureChannels({ model: bytes, layers, form, size, pictures });
  return new Map(uses.map((use) => [use.name, use]));
}

function summaryOf(
  model: InstalledModel,
  form: NumericForm,
  { report, head, bytes }: FormRecord,
  pictures: number,
) {
  const { layers: _, ...rest } = report;
  const { name, family, task, alpha, sizes, origin, convertedBy } = model;
  const about = { name, family, task, alpha, sizes, form, bytes, origin, convertedBy };
  return { ...about, head: head.kind, classes: head.classes, pictures, report: rest };
}

interface LayerColumn {
  readonly title: string;
  /** Shown with `--wide` only. */
  readonly wide?: true;
  readonly text: (layer: LayerReport, use: ChannelUse | undefined) => string;
}

const COLUMNS: readonly LayerColumn[] = [
  { title: 'layer', text: ({ name }) => shortName(name) },
  { title: 'operator', text: ({ kind }) => kind },
  {
    title: 'then',
    wide: true,
    text: ({ activation }) => (activation === 'none' ? '' : activation),
  },
  { title: 'result', wide: true, text: ({ shape }) => shape.slice(1).join('×') },
  { title: 'range', text: ({ range }) => range?.map(short).join(' to ') ?? '' },
  { title: 'scale', wide: true, text: ({ scale }) => (scale === null ? '' : short(scale)) },
  { title: 'zero', wide: true, text: ({ zeroPoint }) => String(zeroPoint ?? '') },
  {
    title: 'weights',
    wide: true,
    text: ({ parameters }) => (parameters === 0 ? '' : String(parameters)),
  },
  { title: 'channels', wide: true, text: (_, use) => String(use?.channels ?? '') },
  { title: 'dead', text: ({ deadChannels }) => some(deadChannels) },
  { title: 'clipped', text: (_, use) => some(use?.clipped) },
  { title: 'constant', text: (_, use) => some(use?.constant) },
];

/** How the steps inside of a layer are called in TensorFlow, with the operator that it ends with. */
const STEPS =
  /(\/(Relu6?|BiasAdd|BatchNorm|batchnorm|Conv2D|depthwise_Fold|(add|mul)(_\d+|_fold)?))+$/;

/** TensorFlow names what it has fused by all that went into it, the layer first. */
function shortName(name: string): string {
  const [first = name] = name.split(';');
  return first.replace(STEPS, '');
}

/** What is none needs no figure. */
function some(count = 0): string {
  return count === 0 ? '' : String(count);
}

function inspectText(
  model: InstalledModel,
  { form, record, layers, uses, files }: Inspection & { uses: ReadonlyMap<string, ChannelUse> },
  wide: boolean,
): string {
  const { report } = record;
  const columns = COLUMNS.filter((column) => wide || column.wide !== true);
  const rows = layers.map((layer) => columns.map(({ text }) => text(layer, uses.get(layer.name))));
  const sum = (count: (layer: LayerReport) => number) =>
    layers.reduce((total, layer) => total + count(layer), 0);
  const operators = Object.entries(report.operators).map(([kind, count]) => `${count} ${kind}`);
  const lines = [
    `${model.name} (${form})`,
    `source      ${model.origin.source}`,
    `operators   ${operators.join(', ')}`,
    `parameters  ${report.parameters}`,
    `mult-adds   ${report.multAdds === null ? 'not known' : `${report.multAdds.toFixed(1)} M`}`,
    `weights     ${report.rescaledChannels ?? 0} channels rescaled`,
    `            largest error ${percent(report.largestWeightError)} of a layer's largest weight`,
    `dead        ${sum((layer) => layer.deadChannels)} channels without weights`,
    `            ${report.raisedChannels} given a larger scale so that their bias fits`,
  ];
  if (uses.size > 0) {
    const clipped = sum(({ name }) => uses.get(name)?.clipped ?? 0);
    const constant = sum(({ name }) => uses.get(name)?.constant ?? 0);
    const number = files.length === 1 ? 'one picture' : `${files.length} pictures`;
    lines.push(`channels    on ${number} ${clipped} clipped, ${constant} constant`);
  }
  if (rows.length === 0) return [...lines, 'layers      not known'].join('\n');
  const titles = columns.map(({ title }) => title);
  const width = wide ? Infinity : TABLE_WIDTH;
  return [formatTable(titles, rows, width), '', ...lines].join('\n');
}

function short(value: number): string {
  return Number(value.toPrecision(4)).toString();
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
