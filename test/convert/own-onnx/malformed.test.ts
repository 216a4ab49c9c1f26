import t from 'tap';
import { convertOwnOnnx } from '#mobilenetd/convert/own-onnx/convert.js';
import { NO_PICTURE_OPTIONS } from '#mobilenetd/convert/scaling.js';
import { isCodedError } from '#mobilenetd/errors.js';
import { classifierSpec, encodeOnnx, FLOAT, valueInfo } from './build-onnx.js';

const PICTURE = { ...NO_PICTURE_OPTIONS, scaling: { mean: [0], scale: [1] } };

type Spec = ReturnType<typeof classifierSpec>;
type Json = Record<string, unknown>;

/** A copy of the classifier with something changed in its graph. */
function withGraph(change: (graph: { [key: string]: Json[] }) => void): Uint8Array {
  const spec = classifierSpec() as Spec;
  change(spec.graph as unknown as { [key: string]: Json[] });
  return encodeOnnx(spec);
}

const node = (graph: { [key: string]: Json[] }, index: number): Json => graph.node?.[index] ?? {};
const constant = (graph: { [key: string]: Json[] }, index: number): Json =>
  graph.initializer?.[index] ?? {};

const CASES: readonly (readonly [name: string, file: Uint8Array, code: string, text: RegExp])[] = [
  ['an empty file', new Uint8Array(), 'MND_MODEL_INVALID', /no graph/],
  ['text', new TextEncoder().encode('<html>not found</html>'), 'MND_MODEL_', /ONNX/],
  [
    'the first half of a file',
    encodeOnnx(classifierSpec()).slice(0, 180),
    'MND_MODEL_TRUNCATED',
    /too early/,
  ],
  [
    'data in another file',
    withGraph((graph) => {
      const tensor = constant(graph, 0);
      delete tensor.rawData;
      tensor.dataLocation = 1;
      tensor.externalData = [{ key: 'location', value: '../../etc/passwd' }];
    }),
    'MND_MODEL_INVALID',
    /another file.*without external data/,
  ],
  [
    'a huge constant of no data',
    withGraph((graph) => {
      constant(graph, 0).dims = [2 ** 20, 2 ** 20];
    }),
    'MND_MODEL_TOO_LARGE',
    /values/,
  ],
  [
    'a constant with too few values',
    withGraph((graph) => {
      constant(graph, 0).dims = [4, 300];
    }),
    'MND_MODEL_INVALID',
    /48 bytes for 1200 values of "weights"/,
  ],
  [
    'a negative side',
    withGraph((graph) => {
      constant(graph, 0).dims = [-4, 3];
    }),
    'MND_MODEL_INVALID',
    /shape \[-4, 3\]/,
  ],
  [
    'a constant of text',
    withGraph((graph) => {
      constant(graph, 0).dataType = 8;
    }),
    'MND_MODEL_INVALID',
    /data type 8/,
  ],
  [
    'two constants of one name',
    withGraph((graph) => {
      constant(graph, 1).name = 'weights';
    }),
    'MND_MODEL_INVALID',
    /two constants/,
  ],
  [
    'a cycle',
    withGraph((graph) => {
      node(graph, 0).input = ['scores'];
    }),
    'MND_MODEL_INVALID',
    /cycle/,
  ],
  [
    'an operator that reads itself',
    withGraph((graph) => {
      node(graph, 1).input = ['flat'];
    }),
    'MND_MODEL_INVALID',
    /cycle/,
  ],
  [
    'a value that nothing computes',
    withGraph((graph) => {
      node(graph, 1).input = ['nowhere'];
    }),
    'MND_MODEL_INVALID',
    /"nowhere"/,
  ],
  [
    'a value that is computed twice',
    withGraph((graph) => {
      node(graph, 1).output = ['pooled'];
    }),
    'MND_MODEL_INVALID',
    /"pooled" computed twice/,
  ],
  [
    'an operator of somebody else',
    withGraph((graph) => {
      Object.assign(node(graph, 1), { domain: 'evil.example', opType: 'Shell' });
    }),
    'MND_MODEL_OPERATOR',
    /evil\.example:Shell/,
  ],
  [
    'an operator that makes much of little',
    withGraph((graph) => {
      node(graph, 1).opType = 'ConstantOfShape';
    }),
    'MND_MODEL_OPERATOR',
    /ConstantOfShape/,
  ],
  [
    'a loop',
    withGraph((graph) => {
      Object.assign(node(graph, 1), {
        opType: 'Loop',
        attribute: [{ name: 'body', type: 5, g: { name: 'body' } }],
      });
    }),
    'MND_MODEL_OPERATOR',
    /graphs inside operators/,
  ],
  [
    'two pictures',
    withGraph((graph) => {
      graph.input?.push(valueInfo('second', FLOAT, [1, 3, 8, 8]));
    }),
    'MND_MODEL_SHAPE',
    /2 inputs/,
  ],
  [
    'a picture of any size',
    withGraph((graph) => {
      graph.input = [valueInfo('input', FLOAT, [1, 3, 'height', 'width'])];
    }),
    'MND_MODEL_QUESTION',
    /takes any; give --size PIXELS/,
  ],
  [
    'a batch',
    withGraph((graph) => {
      graph.input = [valueInfo('input', FLOAT, [16, 3, 8, 8])];
    }),
    'MND_MODEL_SHAPE',
    /\[16, 3, 8, 8\]/,
  ],
  [
    'double precision',
    withGraph((graph) => {
      graph.input = [valueInfo('input', 11, [1, 3, 8, 8])];
    }),
    'MND_MODEL_SHAPE',
    /float32, float16, uint8 or int8; found data type 11/,
  ],
  [
    'boxes besides the scores',
    withGraph((graph) => {
      graph.output?.push(valueInfo('scores', FLOAT, [1, 4]));
    }),
    'MND_MODEL_SHAPE',
    /2 outputs/,
  ],
  [
    'classes that are not counted',
    withGraph((graph) => {
      graph.output = [valueInfo('probabilities', FLOAT, [1, 'classes'])];
    }),
    'MND_MODEL_SHAPE',
    /\[1, \?\]/,
  ],
  [
    'an old operator set',
    encodeOnnx(classifierSpec({ opset: 6 })),
    'MND_MODEL_OPERATOR',
    /found 6/,
  ],
  [
    'a function',
    encodeOnnx({ ...classifierSpec(), functions: [{ name: 'f' }] }),
    'MND_MODEL_OPERATOR',
    /functions/,
  ],
];

for (const [name, file, code, text] of CASES) {
  t.test(name, (t) => {
    try {
      convertOwnOnnx(file, PICTURE);
      t.fail('it was accepted');
    } catch (error) {
      if (!isCodedError(error)) throw error;
      t.ok(error.code.startsWith(code), error.code);
      t.match(error.message, text);
    }
    t.end();
  });
}

t.test('a long chain and a wide fan are checked in time', (t) => {
  const spec = classifierSpec() as Spec;
  const chain: Json[] = [];
  for (let index = 0; index < 5000; index += 1) {
    const input = [index === 0 ? 'input' : `x${index - 1}`];
    chain.push({ opType: 'Identity', input, output: [`x${index}`] });
    if (chain.length < 9000) {
      chain.push({ opType: 'Identity', input: ['x0'], output: [`y${index}`] });
    }
  }
  spec.graph.node.unshift(...chain.slice(0, 9000));
  t.match(convertOwnOnnx(encodeOnnx(spec), PICTURE).report.operators, {
    Identity: 9000,
  });
  spec.graph.node.unshift(...chain.slice(0, 2000).map((entry) => ({ ...entry })));
  t.throws(() => convertOwnOnnx(encodeOnnx(spec), PICTURE), {
    code: 'MND_MODEL_TOO_LARGE',
  });
  t.end();
});
