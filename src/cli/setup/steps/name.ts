import { type Meaning, quoted } from '../question.js';
import type { Step } from '../step.js';

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** What a name of a node or of a camera may be, as topics take it. */
export function topicNameOf(answer: string): Meaning<string> {
  if (NAME.test(answer)) return { value: answer };
  const near = answer
    .normalize('NFD')
    .replace(/[^A-Za-z0-9_-]+/g, '_')
    .replace(/^[_-]+|[_-]+$/g, '')
    .slice(0, 64);
  const hint = near === '' ? '' : `, e.g. ${near}`;
  return {
    fault: `expected letters, digits, "-" and "_", at most 64, a letter or digit first${hint}; found ${quoted(answer)}`,
  };
}

export const NAME_STEP: Step = {
  name: 'name',
  title: 'This board',
  options: [{ name: 'name', value: '<name>', help: 'name of this board in every topic' }],
  async run({ asker, draft, load }) {
    const node = await asker.ask({
      option: 'name',
      text: 'Name of this board, as topics have it',
      fallback: load().config.node,
      parse: topicNameOf,
    });
    draft.set(['node'], node, 'Name of this board in every topic.');
    return { node };
  },
};
