import { join } from 'node:path';
import { choose, type Meaning, yesOrNo } from '../question.js';
import type { Step, StepInput } from '../step.js';

/** The rule that setup writes. */
const RULE = 'setup';

/** One way to tell somebody: its secret goes into a file, which the key names. */
interface Way {
  readonly name: string;
  readonly text: string;
  readonly asks: string;
  readonly parse: (answer: string) => Meaning<string>;
  readonly fileKey: string;
  readonly file: string;
}

const WAYS: readonly Way[] = [
  {
    name: 'ntfy',
    text: 'ntfy, on phones and desktops',
    asks: 'Topic at ntfy.sh (whoever knows it can read along: make it long; it is not shown)',
    parse: (answer) =>
      /^[-_A-Za-z0-9]{1,64}$/.test(answer)
        ? { value: answer }
        : { fault: 'expected letters, digits, "-" and "_", at most 64' },
    fileKey: 'topic_file',
    file: 'ntfy.topic',
  },
  {
    name: 'webhook',
    text: 'a request to an address of yours',
    asks: 'Address, http://… or https://… (it is not shown)',
    parse: (answer) =>
      /^https?:\/\/[^\s/]/i.test(answer) && URL.canParse(answer)
        ? { value: answer }
        : { fault: 'expected an address that begins with http:// or https://' },
    fileKey: 'url_file',
    file: 'webhook.url',
  },
  {
    name: 'telegram',
    text: 'a bot of Telegram',
    asks: 'Token of the bot, as @BotFather gives it (it is not shown)',
    parse: (answer) =>
      /^\d+:[\w-]+$/.test(answer)
        ? { value: answer }
        : { fault: 'expected a token such as 123456:ABC…' },
    fileKey: 'token_file',
    file: 'telegram.token',
  },
];

export const NOTIFY_STEP: Step = {
  name: 'notify',
  title: 'Notifications',
  options: [
    { name: 'notify', value: '<way>', help: 'none, ntfy, webhook, telegram, or keep' },
    {
      name: 'notify-secret-file',
      value: '<file>',
      help: 'file whose first line is the topic (ntfy), the address (webhook) or the token (telegram)',
    },
    { name: 'notify-server', value: '<address>', help: 'server of ntfy' },
    { name: 'notify-chat', value: '<id>', help: 'whom the bot of Telegram writes to' },
    { name: 'notify-test', value: '<yes|no>', help: 'send a drawn event' },
  ],
  async run(input) {
    const { asker, draft, load } = input;
    const rules = Object.keys(load().config.notify);
    const choices = [
      ...(rules.length > 0 ? [{ name: 'keep', text: `as it is: ${rules.join(', ')}` }] : []),
      { name: 'none', text: 'nobody' },
      ...WAYS.map(({ name, text }) => ({ name, text })),
    ];
    const chosen = await asker.ask(
      choose({
        option: 'notify',
        text: 'Who is told when something comes',
        choices,
        fallback: choices[0]?.name ?? 'none',
      }),
    );
    if (chosen === 'none' && rules.includes(RULE)) draft.remove(['notify', RULE]);
    const way = WAYS.find(({ name }) => name === chosen);
    if (way === undefined) return { notify: chosen };
    await configure(way, input);
    return { notify: chosen, ...(await test(input)) };
  },
};

async function configure(way: Way, { asker, draft, folder, load }: StepInput): Promise<void> {
  const secret = await asker.ask({
    option: 'notify-secret-file',
    text: way.asks,
    fallback: null,
    secret: true,
    parse: way.parse,
  });
  const file = join(folder, way.file);
  draft.keepSecret(file, secret);
  const { labels } = Object.values(load().config.cameras)[0] ?? { labels: 'all' as const };
  draft.remove(['notify', RULE]);
  draft.set(
    ['notify', RULE],
    {
      ...(labels !== 'all' && { when: { label: labels } }),
      to: { [way.name]: { [way.fileKey]: file, ...(await more(way, asker)) } },
    },
    'Who is told when something comes; `mobilenetd notify --test setup` tries it.',
  );
}

async function more(
  way: Way,
  asker: StepInput['asker'],
): Promise<Readonly<Record<string, unknown>>> {
  if (way.name === 'telegram') {
    const chat = await asker.ask({
      option: 'notify-chat',
      text: 'Whom it writes to: the number of a person or a group, or the @name of a channel',
      fallback: null,
      parse: (answer) =>
        /^(@\w+|-?\d{1,15})$/.test(answer)
          ? { value: /^@/.test(answer) ? answer : Number(answer) }
          : { fault: 'expected a number or an @name' },
    });
    return { chat_id: chat };
  }
  if (way.name !== 'ntfy') return {};
  const server = await asker.ask({
    option: 'notify-server',
    text: 'Server of ntfy',
    fallback: 'https://ntfy.sh',
    parse: (answer) =>
      /^https?:\/\/[^\s/@]+\/?$/i.test(answer) && URL.canParse(answer)
        ? { value: answer }
        : { fault: 'expected an address such as https://ntfy.sh' },
  });
  return server === 'https://ntfy.sh' ? {} : { url: server };
}

async function test({ asker, around, load, signal }: StepInput): Promise<object> {
  if (!(await asker.ask(yesOrNo('notify-test', 'Send a drawn event now', true)))) return {};
  const trials = await around.tryRule(RULE, load().config);
  signal.throwIfAborted();
  for (const { to, error } of trials) {
    asker.say(error === null ? `  ${to}: taken` : `  ${to}: FAILED: ${error}`);
  }
  return { tests: trials };
}
