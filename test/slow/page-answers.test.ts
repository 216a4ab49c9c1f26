import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import t, { type Test } from 'tap';
import { eventually } from '../eventually.js';
import { installRandomModel, runDemo } from '../integration/demo-process.js';
import { lastingFolder } from '../lasting-folder.js';
import { PASSWORDS, startPageDaemon } from './page-daemon.js';

t.setTimeout(600_000);

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}
interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

/** Asks a running daemon, as one who may see everything. */
class Asking {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: string, headers: Readonly<Record<string, string>>) {
    this.#url = url;
    this.#headers = headers;
  }

  ask(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.#url}api/v1${path}`, { ...init, headers: this.#headers });
  }

  async json<T>(path: string): Promise<T> {
    return (await this.ask(path)).json() as Promise<T>;
  }

  /** What the stream tells first. */
  async firstState(): Promise<unknown> {
    const { body } = await this.ask('/stream');
    let text = '';
    for await (const chunk of body ?? []) {
      text += Buffer.from(chunk).toString();
      const data = /event: state\ndata: (.*)\n\n/.exec(text)?.[1];
      // Leaving the loop ends the request.
      if (data !== undefined) return JSON.parse(data);
    }
    throw new Error(`the stream ended: ${text}`);
  }
}

/** Holds everything that can be read of a daemon to the document that it serves. */
async function holdToDocument(t: Test, asking: Asking): Promise<void> {
  const document = await asking.json<Document>('/openapi.json');
  const ajv = new Ajv2020({ strict: false });
  const check = (what: string, schema: object, value: unknown) => {
    const validate: ValidateFunction = ajv.compile(schema);
    t.ok(validate(value), `${what}: ${ajv.errorsText(validate.errors)}`);
  };
  type Pictured = { readonly id: string; readonly picture: boolean };
  const pictured = async () =>
    (await asking.json<readonly Pictured[]>('/events')).find(({ picture }) => picture);
  t.ok(await eventually(async () => (await pictured()) !== undefined), 'an event with its picture');
  const id = (await pictured())?.id ?? '';
  const cameras =
    await asking.json<readonly { readonly name: string; readonly status: string }[]>('/cameras');
  const camera = cameras.find(({ status }) => status === 'online')?.name ?? '';
  for (const [path, { get }] of Object.entries(document.paths)) {
    if (get === undefined || path === '/stream') continue;
    const asked = path.replace('{camera}', camera).replace('{id}', id);
    const answer = await asking.ask(asked);
    const [[type, content] = ['', null]] = Object.entries(get.responses['200']?.content ?? {});
    t.equal(answer.status, 200, asked);
    t.match(answer.headers.get('content-type') ?? '', type, asked);
    if (type === 'application/json' && content !== null) {
      check(asked, content.schema, await answer.json());
    } else await answer.arrayBuffer();
  }
  const state = document.paths['/state']?.get?.responses['200']?.content?.['application/json'];
  check('the state of the stream', state?.schema ?? {}, await asking.firstState());
}

t.test('answers of a daemon with a detector hold to the document', async (t) => {
  const { url } = await startPageDaemon(t);
  const login = await fetch(`${url}api/v1/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ user: 'anna', password: PASSWORDS.anna }),
  });
  const Cookie = login.headers.get('set-cookie')?.split(';')[0] ?? '';
  await holdToDocument(t, new Asking(url, { Cookie }));
});

t.test('answers of the demo on a board that is governed hold to the document', async (t) => {
  const folder = lastingFolder(t);
  const model = await installRandomModel(folder);
  const demo = runDemo({ folder, model, args: ['--board', 'pi4-case'] });
  t.teardown(() => demo.end('SIGTERM'));
  const { page } = (await demo.ready) as unknown as { readonly page: string };
  const asking = new Asking(page, {});
  const isGoverned = async () =>
    (await asking.json<{ readonly state: object | null }>('/governor')).state !== null;
  t.ok(await eventually(isGoverned));
  await holdToDocument(t, asking);
});
