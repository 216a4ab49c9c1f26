import { isDeepStrictEqual } from 'node:util';
import { type Meaning, meant, quoted } from '../question.js';
import type { Step } from '../step.js';

const ALL = 'all';
const SHOWN = 12;

export const LABELS_STEP: Step = {
  name: 'labels',
  title: 'What to watch for',
  options: [{ name: 'labels', value: '<labels>', help: 'all, or labels with commas between them' }],
  async run({ asker, draft, load, around }) {
    const { config } = load();
    const cameras = Object.entries(config.cameras);
    const known = await around.labelsOf(config);
    const names = new Set([...(known ?? []), ...Object.keys(config.presence.groups)]);
    if (known !== null) {
      const some = known.slice(0, SHOWN).join(', ');
      asker.say(
        `  The model knows ${known.length} labels: ${some}${known.length > SHOWN ? ', …' : ''}`,
      );
    } else
      asker.say('  No model says what its labels are yet: they are taken as they are written.');
    const before = cameras[0]?.[1].labels ?? ALL;
    const alike = cameras.filter(([, camera]) => isDeepStrictEqual(camera.labels, before));
    const whose = cameras.length < 2 ? '' : ` at ${alike.map(([name]) => name).join(', ')}`;
    const labels = await asker.ask({
      option: 'labels',
      text: `Labels to watch for${whose}, with commas between them, or all`,
      fallback: before === ALL ? ALL : before.join(', '),
      parse: (answer) => labelsMeant(answer, known === null ? null : names),
    });
    const isChanged = draft.isNew || !isDeepStrictEqual(labels, before);
    for (const [name] of isChanged ? alike : []) {
      draft.set(['cameras', name, 'labels'], labels, 'What is told of; `all` is everything.');
    }
    return { labels, known: known?.length ?? null };
  },
};

/** `known` is null where nobody can say. */
export function labelsMeant(
  answer: string,
  known: ReadonlySet<string> | null,
): Meaning<'all' | readonly string[]> {
  if (answer.toLowerCase() === ALL) return { value: ALL };
  const labels = [
    ...new Set(
      answer
        .replace(/^\[|\]$/g, '')
        .split(',')
        .map((label) => label.trim())
        .filter((label) => label !== ''),
    ),
  ];
  if (labels.length === 0) return { fault: 'expected labels with commas between them, or all' };
  const strangers = known === null ? [] : labels.filter((label) => !known.has(label));
  if (strangers.length === 0) return { value: labels };
  const faults = strangers.map((label) => `${quoted(label)}${meant(label, known ?? [])}`);
  return { fault: `expected labels of the model; found ${faults.join(', ')}` };
}
