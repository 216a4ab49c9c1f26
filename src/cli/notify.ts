import type { Config } from '../config/config.js';
import { codedError } from '../errors.js';
import { nearestOf } from '../nearest.js';
import { wantedChannels } from '../notify/registry.js';
import { namesIn, type RuleConfig } from '../notify/rule-keys.js';
import type { CommandContext, Register } from './command.js';
import { endWith, writeJsonLine, writeLine } from './output.js';
import { tryRule } from './rule-trial.js';

interface Flags {
  readonly test?: string;
  readonly list?: boolean;
  readonly json?: boolean;
}

export const register: Register = (program, context) => {
  program
    .command('notify')
    .summary('list the rules of notifications, or try one')
    .description(
      [
        'Lists the rules of the configuration: when each tells whom. With --test it sends a drawn event',
        'with a picture through every channel of a rule, at once, whatever the time and the cool-down, and',
        'says how each answered; the daemon need not run. Exits with 1 when one of them failed.',
      ].join('\n'),
    )
    .option('--test <rule>', 'try this rule')
    .option('--list', 'list the rules (also without any option)')
    .option('--json', 'one JSON object a line')
    .action(async (flags: Flags) => {
      const config = context.loadConfig();
      if (flags.test === undefined) list(config, flags, context);
      else await test(flags.test, config, flags, context);
    });
};

function list(config: Config, { json }: Flags, { stdout, stderr }: CommandContext): void {
  for (const [name, rule] of Object.entries(config.notify)) {
    const channels = wantedChannels(rule.to).map((each) => `${each.name} (${each.target})`);
    const when = whenText(rule);
    if (json) {
      writeJsonLine(stdout, { rule: name, enabled: rule.enabled, when, to: channels });
      continue;
    }
    writeLine(stdout, `${name}${rule.enabled ? '' : ' (not enabled)'}`);
    writeLine(stdout, `  when ${when}; not again for ${rule.cooldown} s`);
    for (const channel of channels) writeLine(stdout, `  to ${channel}`);
  }
  if (Object.keys(config.notify).length === 0) {
    writeLine(stderr, 'there are no rules: see docs/notify.md');
  }
}

/** A rule's conditions in words. */
function whenText({ when }: RuleConfig): string {
  const any = (value: string | readonly string[] | null) => namesIn(value)?.join(' or ') ?? null;
  const zones = any(when.zone);
  const subLabels = any(when.sub_label);
  return [
    any(when.label) ?? 'anything',
    `at ${any(when.camera) ?? 'any camera'}`,
    ...(zones === null ? [] : [`in ${zones}`]),
    ...(subLabels === null ? [] : [`that is ${subLabels}`]),
    ...(when.score > 0 ? [`with a score of ${when.score}`] : []),
    ...(when.dwell > 0 ? [`for ${when.dwell} s`] : []),
    ...(when.schedule.length > 0 ? [`(${when.schedule.join('; ')})`] : []),
  ].join(' ');
}

async function test(
  name: string,
  config: Config,
  { json }: Flags,
  context: CommandContext,
): Promise<void> {
  ruleNamed(name, config);
  let failed = false;
  for (const { channel, ms, error } of await tryRule(name, config, context)) {
    failed ||= error !== null;
    if (json) writeJsonLine(context.stdout, { rule: name, channel: channel.name, ms, error });
    else {
      const result = error === null ? `taken in ${ms} ms` : `FAILED: ${error}`;
      writeLine(context.stdout, `${channel.name} to ${channel.target}: ${result}`);
    }
  }
  if (failed) throw endWith(1);
}

function ruleNamed(name: string, config: Config): RuleConfig {
  const rule = Object.hasOwn(config.notify, name) ? config.notify[name] : undefined;
  if (rule !== undefined) return rule;
  const known = Object.keys(config.notify);
  const near = nearestOf(name, known);
  throw codedError('MND_USAGE', {
    subject: `rule ${name}`,
    expected: known.length === 0 ? 'a rule below notify in the configuration' : known.join(', '),
    found: 'no rule of this name',
    ...(near !== null && { next: `did you mean ${near}?` }),
  });
}
