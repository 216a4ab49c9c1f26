import t from 'tap';
import { readTfjs } from '#mobilenetd/convert/tfjs/read.js';
import { isCodedError } from '#mobilenetd/errors.js';
import { createRandom } from '../random.js';
import { BLOCK_CUT, buildBlockModel, buildDetector, type ModelDocument } from './build-tfjs.js';
import { CASES, type Damage } from './damage.js';

const block = buildBlockModel();

/** Reads the block model after damage to its JSON. */
function readDamaged(damage: Damage): void {
  const document: ModelDocument = JSON.parse(block.modelJson);
  const find =
    <T extends { name: string }>(list: T[] | undefined) =>
    (name: string) => {
      const found = list?.find((entry) => entry.name === name);
      if (found === undefined) throw new Error(`no ${name}`);
      return found;
    };
  const [group] = document.weightsManifest;
  damage(document, find(document.modelTopology.node), find(group?.weights));
  readTfjs({ modelJson: JSON.stringify(document), shards: block.shards }, BLOCK_CUT);
}

t.test('damage to model.json', async (t) => {
  for (const [name, code, message, damage] of CASES) {
    t.throws(() => readDamaged(damage), { code, message }, name);
  }
});

t.test('what is no model.json at all', async (t) => {
  const read = (modelJson: string | Uint8Array) => () => readTfjs({ modelJson, shards: [] });
  for (const text of ['', '{', 'null', '[]', '7', '{"modelTopology":[]}', '\u0000']) {
    t.throws(read(text), { code: 'MND_MODEL_INVALID' }, JSON.stringify(text));
  }
  t.throws(read(Uint8Array.of(0xff, 0xfe, 0)), { code: 'MND_MODEL_INVALID' });
  t.throws(read('['.repeat(100_000)), { code: 'MND_MODEL_INVALID' });
  t.throws(read(' '.repeat(33 * 2 ** 20)), { code: 'MND_MODEL_TOO_LARGE' });
});

t.test('shards that are missing, short, long or damaged', async (t) => {
  const { modelJson, shards } = buildBlockModel(1000);
  const read = (parts: readonly Uint8Array[]) => () =>
    readTfjs({ modelJson, shards: parts }, BLOCK_CUT);
  const [first = new Uint8Array(), ...rest] = shards;
  t.throws(read([]), { code: 'MND_MODEL_TRUNCATED' });
  t.throws(read(rest), { code: 'MND_MODEL_TRUNCATED' });
  t.throws(read([first.subarray(1), ...rest]), { code: 'MND_MODEL_TRUNCATED' });
  t.throws(read([...shards, first]), { code: 'MND_MODEL_INVALID' });
  t.throws(read([Uint8Array.of(0, ...first), ...rest]), { code: 'MND_MODEL_INVALID' });
  const infinite = shards.map((shard) => new Uint8Array(shard.length).fill(0xff));
  t.throws(read(infinite), { code: 'MND_MODEL_INVALID', message: /finite numbers/ });
});

t.test('a batch norm that divides by zero', async (t) => {
  const { document, shards } = buildBlockModel();
  const [group] = document.weightsManifest;
  let offset = 0;
  for (const { name, shape } of group?.weights ?? []) {
    if (name === 'f/var') break;
    offset += 4 * shape.reduce((product, side) => product * side, 1);
  }
  const [shard] = shards;
  if (shard === undefined) throw new Error('no shard');
  new DataView(shard.buffer, shard.byteOffset).setFloat32(offset, -1, true);
  const read = () => readTfjs({ modelJson: JSON.stringify(document), shards }, BLOCK_CUT);
  t.throws(read, { code: 'MND_MODEL_INVALID', message: /folding its batch norm/ });
});

t.test('a graph that is no detector', async (t) => {
  t.throws(() => readTfjs(block), { code: 'MND_MODEL_MISMATCH' });
  const cut = { ...BLOCK_CUT, outputs: ['a'] };
  t.throws(() => readTfjs(block, { ...cut, outputs: ['a', 'a/relu'] }), {
    code: 'MND_MODEL_OPERATOR',
  });
});

t.test('a very deep graph is read without exhausting the stack', async (t) => {
  const document: ModelDocument = JSON.parse(block.modelJson);
  const { node } = document.modelTopology;
  let last = 'f/norm';
  for (let depth = 0; depth < 15_000; depth += 1) {
    node.push({ name: `x${depth}`, op: 'Mul', input: ['Preprocessor/mul/x', last], attr: {} });
    last = `x${depth}`;
  }
  const files = { modelJson: JSON.stringify(document), shards: block.shards };
  const graph = readTfjs(files, { ...BLOCK_CUT, outputs: [last] });
  t.equal(graph.outputs[0], last);
});

t.test('random damage ends in a coded error or a graph', async (t) => {
  const random = createRandom(20261123);
  const { modelJson, shards } = buildDetector();
  const codes = new Map<string, number>();
  const tokens = ['"', '{', '}', '[', ']', ',', '0', '-1', '1e9', 'null', '"__proto__":', 'Add'];
  let read = 0;
  for (let round = 0; round < 1500; round += 1) {
    let text = modelJson;
    for (let edits = 1 + random(3); edits > 0; edits -= 1) {
      const at = random(text.length);
      const token = random(2) === 0 ? (tokens[random(tokens.length)] ?? '') : '';
      text = text.slice(0, at) + token + text.slice(at + random(random(4) === 0 ? 400 : 3));
    }
    try {
      readTfjs({ modelJson: text, shards });
      read += 1;
    } catch (error) {
      if (!isCodedError(error)) throw error;
      codes.set(error.code, (codes.get(error.code) ?? 0) + 1);
    }
  }
  t.ok(read > 50, `${read} were still read`);
  t.ok(codes.size >= 4, [...codes].join(' '));
  t.notOk(codes.has('MND_INTERNAL'));
});
