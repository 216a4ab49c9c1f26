import { codedError } from '../../errors.js';
import { fold } from '../float-network/fold.js';
import type { Graph } from '../graph.js';
import { pictureGraph } from '../picture-graph.js';
import { together } from '../scaling.js';
import { readFloatNodes } from './float-nodes.js';
import type { OnnxFile } from './parse.js';
import type { OnnxPicture } from './picture.js';

/**
 * A float classifier as a graph that can be quantized: from a uint8 RGB picture to one row of logits.
 *
 * @param end the value that holds the logits
 * @throws MND_MODEL_OPERATOR for a network of other operators than MobileNets have; MND_MODEL_SHAPE,
 *   MND_MODEL_INVALID
 */
export function floatGraph(file: OnnxFile, picture: OnnxPicture, end: string): Graph {
  const { scaling, reversed } = picture;
  if (scaling === null || picture.type !== 'float32') {
    throw codedError('MND_MODEL_OPERATOR', {
      subject: '--calibrate',
      expected: 'a network whose picture is of float32',
      found: picture.type,
      next: 'leave --calibrate out, and the file is used as it is',
    });
  }
  const { nodes, output } = readFloatNodes(file, picture, end);
  const folded = fold(nodes, [output]);
  const { shape } = folded.value(output);
  if (shape[0] * shape[1] !== 1 || !folded.front.factor.every((factor) => factor > 0)) {
    throw codedError('MND_MODEL_OPERATOR', {
      subject: '--calibrate',
      expected: 'one row of scores of a picture whose numbers grow with its pixels',
      found: `[1, ${shape.join(', ')}]`,
      next: 'leave --calibrate out, and the file is used as it is',
    });
  }
  return pictureGraph(folded, output, together(scaling, folded.front), reversed);
}
