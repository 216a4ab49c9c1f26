import { isLoopback } from '../../../address.js';
import { parseListen } from '../../../config/schema/formats.js';
import { choose, UNCHANGED } from '../question.js';
import type { Step, StepInput } from '../step.js';

const PORT = 8080;
const LEAST_PASSWORD = 8;

export const PAGE_STEP: Step = {
  name: 'page',
  title: 'The page',
  options: [
    {
      name: 'page',
      value: '<who>',
      help: 'here (this board only), network (with a login), or off',
    },
    { name: 'page-user', value: '<name>', help: 'who may see and set everything' },
    { name: 'page-password-file', value: '<file>', help: 'file whose first line is the password' },
  ],
  async run(input) {
    const { asker, draft, load } = input;
    const { listen, users } = load().config.status;
    const before =
      listen === null ? 'off' : isLoopback(parseListen(listen).host) ? 'here' : 'network';
    const page = await asker.ask(
      choose<'here' | 'network' | 'off'>({
        option: 'page',
        text: 'Who may open the page with pictures, events and heat',
        choices: [
          { name: 'here', text: 'this board only' },
          { name: 'network', text: 'the network, with a user name and a password' },
          { name: 'off', text: 'nobody: no page' },
        ],
        fallback: before,
      }),
    );
    const comment = 'Where the page listens; null for none.';
    if (page === 'off') draft.set(['status', 'listen'], null, comment);
    if (page === 'here' && (draft.isNew || page !== before)) {
      draft.set(['status', 'listen'], `127.0.0.1:${portOf(listen)}`, comment);
    }
    if (page === 'network') await openToNetwork(listen, Object.keys(users), before, input);
    return { page, listen: load().config.status.listen };
  },
};

async function openToNetwork(
  listen: string | null,
  users: readonly string[],
  before: string,
  { asker, draft, around }: StepInput,
): Promise<void> {
  const user = await asker.ask({
    option: 'page-user',
    text: 'User name for the page',
    fallback: users[0] ?? 'admin',
    parse: (answer) => ({ value: answer }),
  });
  const isKnown = users.includes(user);
  const password = await asker.ask<string | null>({
    option: 'page-password-file',
    text: isKnown
      ? 'Its password (not shown; empty: as it is)'
      : `Its password, at least ${LEAST_PASSWORD} characters (not shown)`,
    fallback: isKnown ? UNCHANGED : null,
    secret: true,
    parse(answer) {
      if (isKnown && answer === UNCHANGED) return { value: null };
      if (answer.length >= LEAST_PASSWORD) return { value: answer };
      return { fault: `expected at least ${LEAST_PASSWORD} characters` };
    },
  });
  if (before !== 'network') {
    draft.set(
      ['status', 'listen'],
      `0.0.0.0:${portOf(listen)}`,
      'Where the page listens; null for none.',
    );
  }
  if (password === null) return;
  const hash = await around.hashPassword(password);
  draft.set(
    ['status', 'users', user],
    { password: hash, role: 'admin' },
    'Who may open it; the password is kept as a hash (mobilenetd config hash-password).',
  );
}

function portOf(listen: string | null): number {
  return listen === null ? PORT : parseListen(listen).port;
}
