import { LEAST_TARGET_C, limitFor } from '../../../thermal/limit.js';
import { GOVERNOR_RANGES } from '../../../thermal/ranges.js';
import { type Meaning, meant, quoted } from '../question.js';
import type { Step } from '../step.js';

/** What the board sits in, and what it must not reach then, °C; auto is where it slows down by itself. */
export const CASES = [
  { name: 'bare', limit: 'auto', text: 'bare board' },
  { name: 'heatsink', limit: 'auto', text: 'heat sink, or a metal case that is one' },
  { name: 'fan', limit: 'auto', text: 'fan' },
  { name: 'plastic', limit: 75, text: 'closed plastic case' },
  { name: 'sealed', limit: 70, text: 'sealed box, e.g. outdoors: camera and card get as warm' },
] as const;

type Limit = 'auto' | number;

export const HEAT_STEP: Step = {
  name: 'heat',
  title: 'Heat',
  options: [
    {
      name: 'limit',
      value: '<case|°C>',
      help: `${CASES.map(({ name }) => name).join(', ')}, auto, or a number`,
    },
  ],
  async run({ asker, draft, load, around }) {
    const { limit: before, margin } = load().config.governor;
    const own = limitFor(around.boardModel, 'auto', margin).limitC;
    const limit = await asker.ask<Limit>({
      option: 'limit',
      text: `What is the board in? A number, or the temperature that it must not reach, °C (auto: ${own})`,
      choices: CASES.map(({ name, limit: chosen, text }) => ({
        name,
        text: `${text}: ${chosen === 'auto' ? `auto (${own} °C)` : `${Math.min(chosen, own)} °C`}`,
      })),
      fallback: String(before),
      parse: (answer) => limitMeant(answer, own, margin),
    });
    if (draft.isNew || limit !== before) {
      draft.set(
        ['governor', 'limit'],
        limit,
        'Never to be reached, °C; auto is where this board slows down by itself.',
      );
    }
    return { limit };
  },
};

/** A case, `auto` or degrees; no case asks for more than the board's own limit. */
export function limitMeant(answer: string, own: number, margin: number): Meaning<Limit> {
  const wanted = answer.toLowerCase();
  if (wanted === 'auto') return { value: 'auto' };
  const found = CASES.find(({ name }) => name === wanted);
  if (found !== undefined) {
    return { value: found.limit === 'auto' || found.limit >= own ? 'auto' : found.limit };
  }
  const { min, max } = GOVERNOR_RANGES.limitC;
  const least = Math.max(min, LEAST_TARGET_C + margin);
  const degrees = Number(wanted.replace(/ *°?c$/, ''));
  if (wanted !== '' && degrees >= least && degrees <= max) return { value: degrees };
  const names = CASES.map(({ name }) => name);
  return {
    fault: `expected ${names.join(', ')}, auto or a number from ${least} to ${max}; found ${quoted(answer)}${meant(answer, names)}`,
  };
}
