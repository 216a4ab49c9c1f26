import type { Command } from 'commander';
import { codedError } from '../errors.js';
import { THREADS_RANGE } from '../inference/ranges.js';
import { makeFolder } from '../make-folder.js';
import type { FormCost } from '../profile/costs.js';
import type { VariantProfile } from '../profile/profiles.js';
import { numberOption } from './arguments.js';
import type { CommandContext } from './command.js';
import { writeJsonLine, writeLine } from './output.js';
import { formatTable } from './table.js';

interface BenchFlags {
  readonly images?: string;
  readonly threads?: readonly number[];
  readonly rounds: number;
  readonly json?: boolean;
}

export function registerBench(models: Command, context: CommandContext): void {
  models
    .command('bench')
    .summary('measure the installed models in every form on this board')
    .description(
      [
        'Runs each installed model in every numeric form and with each thread count, holds the answers',
        'against those of the exact form, and keeps the figures in the state folder: with model.form and',
        'model.threads at auto, the daemon runs the fastest that agrees. Scores are held against those of',
        'the largest model with the same labels: their temperature brings them onto its scale.',
        'Stop other work first.',
      ].join('\n'),
    )
    .argument('[name...]', 'models or variants (default: all that are installed)')
    .option(
      '--images <folder>',
      'pictures to compare the answers and scores on, besides the shipped ones',
    )
    .option('--threads <counts>', 'thread counts, separated by commas', threadsOption)
    .option('--rounds <count>', 'turns of each form', numberOption('--rounds', ROUNDS), 9)
    .option('--json', 'one JSON object a form and thread count')
    .action((names: string[], flags: BenchFlags) => runBench(names, flags, context));
}

const ROUNDS = { min: 1, max: 1000, integer: true };

function threadsOption(text: string): number[] {
  const parse = numberOption('--threads', { ...THREADS_RANGE, integer: true });
  return [...new Set(text.split(',').map(parse))];
}

async function runBench(
  names: readonly string[],
  flags: BenchFlags,
  context: CommandContext,
): Promise<void> {
  const { openShelf } = await import('../models/shelf.js');
  const { formsOf, readProfiles, referenceFor, thisBoard, writeProfiles } = await import(
    '../profile/profiles.js'
  );
  const { measureForms, threadCounts } = await import('../profile/profiling.js');
  const { picturesOf, shippedPictures } = await import('../profile/pictures.js');
  const { thisProcessor } = await import('../inference/processor.js');
  const { readBoardModel } = await import('../platform.js');
  const config = context.loadConfig();
  const shelf = openShelf({ dir: config.models_dir, env: context.env });
  const installed = await formsOf(shelf);
  const isWanted = (name: string, model: string) =>
    names.length === 0 || names.includes(name) || names.includes(model);
  const wanted = installed.filter(([{ name, model }]) => isWanted(name, model));
  const unknown = names.find((name) => !installed.some(([v]) => [v.name, v.model].includes(name)));
  if (unknown !== undefined || wanted.length === 0) {
    throw codedError('MND_MODEL_MISSING', {
      subject: unknown ?? 'a model to measure',
      next: 'mobilenetd models list --installed shows what there is',
    });
  }
  const own = flags.images === undefined ? [] : await picturesOf(flags.images);
  const pictures = [...(await shippedPictures()), ...own];
  const threads = flags.threads ?? threadCounts(thisProcessor().cores);
  const board = thisBoard(readBoardModel(config.governor.proc_root));
  makeFolder(config.state_dir);
  for (const forms of wanted) {
    const { signal } = context;
    const profile = await measureForms(forms, {
      ...{ threads, pictures, rounds: flags.rounds, background: false, signal },
      reference: referenceFor(forms, installed),
    });
    const profiles = await readProfiles(config.state_dir, board);
    const variants = { ...profiles.variants, [forms[0].name]: profile };
    await writeProfiles(config.state_dir, { board, variants });
    await print(forms[0].name, profile, config.model, flags, context);
  }
}

const COLUMNS = ['form', 'threads', 'median ms', 'quiet ms', 'CPU ms', 'agreement', ''];

async function print(
  name: string,
  profile: VariantProfile,
  wanted: Parameters<typeof import('../profile/costs.js').bestCost>[1],
  { json }: BenchFlags,
  { stdout }: CommandContext,
): Promise<void> {
  const { bestCost } = await import('../profile/costs.js');
  const best = bestCost(profile.costs, wanted);
  if (json) {
    for (const cost of profile.costs) {
      writeJsonLine(stdout, { model: name, ...cost, chosen: cost === best, scale: profile.scale });
    }
    return;
  }
  writeLine(stdout, name);
  const rows = profile.costs.map((cost) => rowOf(cost, cost === best));
  writeLine(stdout, formatTable(COLUMNS, rows));
  writeLine(stdout, `${scaleText(name, profile.scale)}\n`);
}

/** E.g. `scores: temperature 1.24 brings them from 0.17 to 0.14 apart from those of net_300 (63 answers)`. */
function scaleText(name: string, scale: VariantProfile['scale']): string {
  if (scale === undefined) return 'scores: not compared';
  const { reference, temperature, pairs, apart, apartWith } = scale;
  if (reference === name) return 'scores: the scale of those with the same labels';
  if (pairs === 0) return `scores: not one answer in common with ${reference}; left as they are`;
  const apartText = `${apart.toFixed(3)} apart from those of ${reference}`;
  const answers = `${pairs} answers`;
  if (temperature === 1) return `scores: ${apartText} (${answers}); left as they are`;
  return `scores: ${apartText} (${answers}), ${apartWith.toFixed(3)} with temperature ${temperature}`;
}

function rowOf(cost: FormCost, isBest: boolean): string[] {
  const { form, threads, medianMs, quietMs, cpuMs, agreement } = cost;
  const { decisive, matched, extra, scoreChange, agrees } = agreement;
  return [
    form,
    String(threads),
    medianMs.toFixed(2),
    quietMs.toFixed(2),
    cpuMs.toFixed(2),
    `${matched}/${decisive}${extra > 0 ? ` +${extra}` : ''}, ${scoreChange.toFixed(3)}${agrees ? '' : ' (no)'}`,
    isBest ? '* chosen' : '',
  ];
}
