import type { ArchitectureTotals, Layer } from '../families/layers.js';
import { formatTable, TABLE_WIDTH } from './table.js';

const COLUMNS = ['layer', 'kind', 'kernel', 'output', 'parameters', 'mult-adds'];
const WIDE_COLUMNS = ['layer', 'kind', 'kernel', 'stride', 'output', 'parameters', 'mult-adds'];

/** The layer table of a network, with its totals, for people: in 80 places, or `wide` with strides. */
export function describeText(
  layers: readonly Layer[],
  totals: ArchitectureTotals,
  wide: boolean,
): string {
  const rows = layers.map((layer) => [
    layer.name,
    layer.kind,
    `${layer.kernel}×${layer.kernel}`,
    ...(wide ? [String(layer.stride)] : []),
    layer.output.join('×'),
    String(layer.parameters),
    String(layer.multAdds),
  ]);
  const millions = (value: number) => `${(value / 1e6).toFixed(3)} M`;
  const times = (standard: number, own: number) => `${(standard / own).toFixed(1)} times`;
  const { parameters, multAdds, standardParameters, standardMultAdds } = totals;
  return [
    wide ? formatTable(WIDE_COLUMNS, rows) : formatTable(COLUMNS, rows, TABLE_WIDTH),
    '',
    formatTable(
      ['', 'this network', 'with standard convolutions', ''],
      [
        [
          'parameters',
          millions(parameters),
          millions(standardParameters),
          times(standardParameters, parameters),
        ],
        [
          'mult-adds',
          millions(multAdds),
          millions(standardMultAdds),
          times(standardMultAdds, multAdds),
        ],
      ],
    ),
  ].join('\n');
}
