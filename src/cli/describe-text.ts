import type { ArchitectureTotals, Layer } from '../families/layers.js';
import { formatTable } from './table.js';

const COLUMNS = ['layer', 'kind', 'kernel', 'stride', 'output', 'parameters', 'mult-adds'];

/** The layer table of a network, with its totals, for people. */
export function describeText(layers: readonly Layer[], totals: ArchitectureTotals): string {
  const rows = layers.map((layer) => [
    layer.name,
    layer.kind,
    `${layer.kernel}×${layer.kernel}`,
    String(layer.stride),
    layer.output.join('×'),
    String(layer.parameters),
    String(layer.multAdds),
  ]);
  const millions = (value: number) => `${(value / 1e6).toFixed(3)} M`;
  const times = (standard: number, own: number) => `${(standard / own).toFixed(1)} times`;
  const { parameters, multAdds, standardParameters, standardMultAdds } = totals;
  return [
    formatTable(COLUMNS, rows),
    '',
    `parameters  ${millions(parameters)}`,
    `mult-adds   ${millions(multAdds)}`,
    `with standard convolutions  ${millions(standardParameters)} parameters (${times(
      standardParameters,
      parameters,
    )}), ${millions(standardMultAdds)} mult-adds (${times(standardMultAdds, multAdds)})`,
  ].join('\n');
}
