/** Programs a unit starts, by absolute path. */
export interface UnitPrograms {
  readonly node: string;
  /** `dist/cli/main.js` of the installed package. */
  readonly main: string;
}

/** Marks units that `mobilenetd service install` has written, and may remove. */
export const UNIT_MARK = '# Written by `mobilenetd service install`.';

const EXEC_START = /^ExecStart=.*$/m;

/** The unit of the package with the paths of an installation by npm. */
export function renderUnit(template: string, { node, main }: UnitPrograms): string {
  const command = `ExecStart=${quote(node)} ${quote(main)} run`;
  if (!EXEC_START.test(template)) throw new Error('the unit has no ExecStart= line');
  return `${UNIT_MARK}\n${template.replace(EXEC_START, () => command)}`;
}

/** A word of a command line as systemd.service(5) reads it. */
function quote(word: string): string {
  const escaped = word
    .replaceAll('%', '%%')
    .replaceAll('$', '$$$$')
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"');
  return /^[\w@%+:,./-]+$/.test(escaped) ? escaped : `"${escaped}"`;
}
