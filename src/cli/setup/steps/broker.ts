import { join } from 'node:path';
import type { Config } from '../../../config/config.js';
import type { Finding } from '../../../doctor/finding.js';
import { codedError } from '../../../errors.js';
import { type Choice, type Meaning, meant, quoted, UNCHANGED, yesOrNo } from '../question.js';
import type { Step, StepInput } from '../step.js';

const EMBEDDED = 'embedded';
const PASSWORD_FILE = 'mqtt.password';

/** Null is the embedded broker. */
type Address = string | null;

export const BROKER_STEP: Step = {
  name: 'broker',
  title: 'MQTT broker',
  options: [
    { name: 'broker', value: '<address>', help: 'mqtt://HOST:1883, mqtts://…, or embedded' },
    { name: 'broker-user', value: '<name>', help: 'user name at the broker, or none' },
    {
      name: 'broker-password-file',
      value: '<file>',
      help: 'file whose first line is the password',
    },
    {
      name: 'broker-anyway',
      value: '<yes|no>',
      help: 'take it although it does not let this board in',
    },
    { name: 'broker-test', value: '<yes|no>', help: 'send a message through it' },
  ],
  async run(input) {
    const { draft, load, signal } = input;
    for (;;) {
      signal.throwIfAborted();
      const url = await askAddress(input);
      if (url === null) {
        draft.set(
          ['mqtt', 'url'],
          null,
          'The broker; null is one of this board, which only this board reaches.',
        );
        const findings = await check(load().config, input);
        return { url, connected: findings.every(({ level }) => level !== 'fail') };
      }
      // One that stays is left as it is written: a list, or an address with a login in it.
      if (url !== keptAddress(load().config)) setAddress(url, input);
      await askLogin(url, input);
      const findings = await check(load().config, input);
      if (findings.every(({ level }) => level !== 'fail'))
        return { url, connected: true, ...(await test(input)) };
      if (await isTakenAnyway(url, findings, input)) return { url, connected: false };
    }
  },
};

async function askAddress({ asker, load, around, signal }: StepInput): Promise<Address> {
  const { config, origins } = load();
  const kept = keptAddress(config);
  const isSaid = (origins.get('mqtt.url') ?? 'default') !== 'default';
  asker.say('Looking for a broker …');
  const found = await around.findBroker(config);
  signal.throwIfAborted();
  const choices: Choice[] = [
    ...(kept === null
      ? []
      : [{ name: withoutLogin(kept), text: `as it is: ${withoutLogin(kept)}` }]),
    ...(found === null || found.url === kept
      ? []
      : [
          {
            name: found.url,
            text: `${found.url} (${found.by})${found.wantsLogin ? ', asks for a login' : ''}`,
          },
        ]),
    { name: EMBEDDED, text: 'one of this board, which only this board reaches (embedded)' },
  ];
  return asker.ask<Address>({
    option: 'broker',
    text: 'Broker: a number, or an address such as mqtt://192.0.2.1',
    choices,
    fallback: isSaid && kept === null ? EMBEDDED : (choices[0]?.name ?? EMBEDDED),
    parse: (answer) =>
      kept !== null && answer === withoutLogin(kept) ? { value: kept } : addressMeant(answer),
  });
}

function keptAddress({ mqtt: { url } }: Config): Address {
  return url === null || typeof url === 'string' ? url : (url[0] ?? null);
}

function setAddress(url: string, { draft }: StepInput): void {
  draft.set(['mqtt', 'url'], url, 'The broker that is told what was seen.');
}

/** A bare host is taken for one that speaks MQTT; a login belongs to questions of its own. */
export function addressMeant(answer: string): Meaning<Address> {
  if (answer.toLowerCase() === EMBEDDED) return { value: null };
  // A word that is almost the other answer was hardly meant as a host.
  const isWord = /^\w+$/.test(answer) && meant(answer, [EMBEDDED]) !== '';
  const address = /^[a-z+]+:\/\//i.test(answer) ? answer : `mqtt://${answer}`;
  const url = URL.canParse(address) ? new URL(address) : null;
  const isSound =
    !isWord &&
    url !== null &&
    /^(mqtts?|wss?|mqtts?\+srv):$/.test(url.protocol) &&
    /^(\[[0-9a-f:.]+\]|[\w.-]+)$/i.test(url.hostname);
  if (!isSound) {
    return {
      fault: `expected an address such as mqtt://192.0.2.1:1883, or embedded; found ${quoted(withoutLogin(answer))}${meant(answer, [EMBEDDED])}`,
    };
  }
  if (url.username !== '' || url.password !== '') {
    return {
      fault:
        'expected an address without a user name; it is asked for next, and its password gets a file of its own',
    };
  }
  return { value: address };
}

async function askLogin(url: string, input: StepInput): Promise<void> {
  const { asker, draft, load, folder } = input;
  const { username: before } = load().config.mqtt;
  const username = await asker.ask({
    option: 'broker-user',
    text: 'User name at the broker, or none',
    fallback: before ?? 'none',
    parse: (answer) => ({ value: answer === 'none' ? null : answer }),
  });
  if (username !== before) setAddress(url, input);
  if (username === null) {
    for (const key of ['username', 'username_file', 'password', 'password_file'])
      draft.remove(['mqtt', key]);
    return;
  }
  if (username !== before) draft.set(['mqtt', 'username'], username);
  const hasPassword = load().config.mqtt.password !== null && username === before;
  const password = await asker.ask<string | null>({
    option: 'broker-password-file',
    text: hasPassword
      ? 'Its password (not shown; empty: as it is)'
      : 'Its password (it is not shown)',
    fallback: hasPassword ? UNCHANGED : null,
    secret: true,
    parse: (answer) => ({ value: hasPassword && answer === UNCHANGED ? null : answer }),
  });
  if (password === null) return;
  const file = join(folder, PASSWORD_FILE);
  setAddress(url, input);
  draft.set(['mqtt', 'username'], username);
  draft.remove(['mqtt', 'username_file']);
  draft.remove(['mqtt', 'password']);
  draft.keepSecret(file, password);
  draft.set(['mqtt', 'password_file'], file);
}

async function check(
  config: Config,
  { around, asker, signal }: StepInput,
): Promise<readonly Finding[]> {
  const findings = await around.checkBroker(config);
  signal.throwIfAborted();
  for (const { subject, found, next } of findings) {
    asker.say(`  ${subject}: ${found}`);
    if (next !== null) asker.say(`    → ${next}.`);
  }
  return findings;
}

async function test({ asker, around, load }: StepInput): Promise<{ readonly test?: string }> {
  if (
    !(await asker.ask(
      yesOrNo('broker-test', 'Send a message through it, to see that it arrives', true),
    ))
  ) {
    return {};
  }
  const { to, error } = await around.sendThrough(load().config);
  asker.say(
    error === null
      ? `  A message to ${to} came back.`
      : `  A message to ${to} did not come back: ${error}`,
  );
  return { test: error ?? 'arrived' };
}

/** @throws MND_MQTT_UNAVAILABLE where nobody can be asked for another one */
async function isTakenAnyway(
  url: string,
  findings: readonly Finding[],
  { asker }: StepInput,
): Promise<boolean> {
  if (await asker.ask(yesOrNo('broker-anyway', 'Take this broker anyway', false))) return true;
  if (asker.canAsk) return false;
  const fault = findings.find(({ level }) => level === 'fail');
  throw codedError('MND_MQTT_UNAVAILABLE', {
    subject: withoutLogin(url),
    found: fault?.found ?? '',
    next: `${fault?.next ?? 'see `mobilenetd doctor`'}; --broker-anyway yes takes it as it is`,
  });
}

function withoutLogin(address: string): string {
  return address.replace(/^(.*?\/\/)?.*@/, '$1');
}
