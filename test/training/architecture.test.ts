import { spawnSync } from 'node:child_process';
import t from 'tap';
import { familyNamed } from '#mobilenetd/families/families.js';

interface PythonLayer {
  readonly kind: string;
  readonly stride: number;
  readonly input_side: number;
  readonly output_side: number;
  readonly input_channels: number;
  readonly output_channels: number;
  readonly parameters: number;
  readonly mult_adds: number;
}

const python =
  spawnSync('/usr/bin/python3', ['--version']).status === 0 ? '/usr/bin/python3' : 'python3';
const skip = spawnSync(python, ['--version']).status === 0 ? false : 'python3 is not installed';

function pythonLayers(alpha: number, size: number, classes: number): PythonLayer[] {
  const { status, stdout, stderr } = spawnSync(
    python,
    ['training/architecture.py', String(alpha), String(size), String(classes)],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

t.test('what is trained is the family that is known', { skip }, (t) => {
  const family = familyNamed('mobilenet_v1');
  for (const alpha of [1, 0.75, 0.5, 0.25, 0.35]) {
    for (const [size, classes] of [
      [224, 1001],
      [128, 58],
      [112, 58],
      [80, 10],
    ] as const) {
      const described = family?.describe({ alpha, size, classes });
      const expected = described?.layers.map((layer) => ({
        kind: layer.kind,
        input_side: layer.input[0],
        output_side: layer.output[0],
        input_channels: layer.input[2],
        output_channels: layer.output[2],
        parameters: layer.parameters,
        mult_adds: layer.multAdds,
      }));
      const found = pythonLayers(alpha, size, classes);
      const shown = found.map(({ stride: _, ...layer }) => layer);
      t.same(shown, expected, `alpha ${alpha} at ${size} px`);
      t.equal(
        found.reduce((sum, { parameters }) => sum + parameters, 0),
        described?.totals.parameters,
      );
    }
  }
  t.end();
});
