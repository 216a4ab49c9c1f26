import type { Finding } from '../../../doctor/finding.js';
import type { Step, StepInput } from '../step.js';

/** What a fresh system may lack: nothing is asked, but what is to be done is said first. */
export const SYSTEM_STEP: Step = {
  name: 'system',
  title: 'This system',
  options: [],
  async run(input) {
    const { around, load, asker } = input;
    const findings = lacking(await around.examineSystem(load().config));
    sayFindings(findings, input);
    if (findings.length === 0) asker.say('  It has what it needs.');
    return {
      lacks: findings.map(({ subject, level, found, next }) => ({ subject, level, found, next })),
    };
  },
};

/** Looks again when it is known which camera and which broker are wanted. */
export const NEEDS_STEP: Step = {
  name: 'needs',
  title: 'What that needs',
  options: [],
  async run(input) {
    const { around, load, asker } = input;
    const all = await around.examineSystem(load().config);
    const findings = lacking(all).filter(({ check }) => check === 'programs' || check === 'boot');
    sayFindings(findings, input);
    if (findings.length === 0) asker.say('  Everything is there.');
    return {
      lacks: findings.map(({ subject, level, found, next }) => ({ subject, level, found, next })),
    };
  },
};

function lacking(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ level }) => level === 'warn' || level === 'fail');
}

function sayFindings(findings: readonly Finding[], { asker }: StepInput): void {
  for (const { subject, found, next } of findings) {
    asker.say(`  ${subject}: ${found}`);
    if (next !== null) asker.say(`    → ${next}.`);
  }
}
