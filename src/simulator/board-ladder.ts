import type { Board } from './boards.js';

/** The 16 official networks: α, size, top-1 of the quantised network (hosted-models page), million mult-adds. */
const NETWORKS: readonly (readonly [number, number, number, number])[] = [
  [0.25, 128, 39.5, 13.6],
  [0.25, 160, 42.8, 21.1],
  [0.25, 192, 45.7, 30.2],
  [0.25, 224, 48.2, 41.0],
  [0.5, 128, 54.9, 49.2],
  [0.5, 160, 57.2, 76.5],
  [0.5, 192, 59.9, 110.0],
  [0.5, 224, 61.2, 149.5],
  [0.75, 128, 55.9, 106.8],
  [0.75, 160, 62.4, 166.4],
  [0.75, 192, 66.1, 239.3],
  [0.75, 224, 66.9, 325.4],
  [1, 128, 63.3, 186.4],
  [1, 160, 66.9, 290.7],
  [1, 192, 69.1, 418.1],
  [1, 224, 70.0, 568.7],
];

/** The ladder of all 16 networks on a board, by cost. */
export function boardLadder(board: Pick<Board, 'overheadMs' | 'msPerMillion'>) {
  return NETWORKS.map(([alpha, size, accuracy, millions]) => ({
    name: `mobilenet_v1_${alpha.toFixed(2).replace(/0$/, '')}_${size}`,
    alpha,
    size,
    accuracy,
    costMs: board.overheadMs + board.msPerMillion * millions,
  })).sort((a, b) => a.costMs - b.costMs);
}
