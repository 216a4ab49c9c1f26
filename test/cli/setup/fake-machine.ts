import { Asker } from '#mobilenetd/cli/setup/asker.js';
import { Draft } from '#mobilenetd/cli/setup/draft.js';
import type { SetupAround, StepInput } from '#mobilenetd/cli/setup/step.js';
import { loadConfig } from '#mobilenetd/config/load.js';

export const FOLDER = '/etc/porch';
const FILE = `${FOLDER}/config.yaml`;

/** A machine without a camera and a network without a broker; `more` is what it has besides. */
export function fakeMachine(more: Partial<SetupAround> = {}): SetupAround {
  return {
    boardModel: 'Raspberry Pi 4 Model B Rev 1.5',
    examineSystem: async () => [],
    findCameras: async () => [],
    lookThrough: async () => ({ delivers: true, found: 'a frame', next: null, picture: '/p.jpg' }),
    labelsOf: async () => ['person', 'cat', 'dog'],
    findBroker: async () => null,
    checkBroker: async () => [],
    sendThrough: async () => ({ to: 'mobilenetd/porch/setup', error: null }),
    tryRule: async () => [{ to: 'webhook (https://example.org)', error: null }],
    hashPassword: async () => 'scrypt$16384$8$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAA==',
    ...more,
  };
}

export interface Dialogue {
  readonly input: StepInput;
  readonly draft: Draft;
  /** What people were told, and asked. */
  readonly said: string[];
}

/**
 * A dialogue about a file. `typed` are the lines of a person; absent: nobody answers and `answers`
 * are the command's options.
 */
export function dialogue({
  text = null,
  typed,
  answers = {},
  around = fakeMachine(),
}: {
  readonly text?: string | null;
  readonly typed?: readonly string[];
  readonly answers?: Readonly<Record<string, string>>;
  readonly around?: SetupAround;
}): Dialogue {
  const said: string[] = [];
  const lines = [...(typed ?? [])];
  const draft = new Draft(text);
  const prompt = {
    async readLine(question: string) {
      said.push(question);
      const line = lines.shift();
      if (line === undefined) throw new Error(`nobody answers ${question}`);
      return line;
    },
  };
  const asker = new Asker({
    answers,
    prompt: typed === undefined ? null : prompt,
    say: (line) => said.push(line),
    readSecret: (file) => `first line of ${file}`,
  });
  const load = () =>
    loadConfig({
      env: {},
      files: [FILE],
      hostname: 'porch',
      boardModel: null,
      listFolder: () => [],
      modeOf: () => 0o600,
      readFile(path) {
        const secret = draft.secrets.get(path);
        if (path !== FILE && secret === undefined) {
          throw Object.assign(new Error(path), { code: 'ENOENT' });
        }
        return Buffer.from(secret ?? draft.text());
      },
    });
  const { signal } = new AbortController();
  return { input: { asker, draft, folder: FOLDER, around, load, signal }, draft, said };
}
