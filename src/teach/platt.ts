/** Makes a probability of a score: 1 / (1 + e^(slope·score + offset)), with a slope below 0. */
export interface Sigmoid {
  readonly slope: number;
  readonly offset: number;
}

export function probabilityOf({ slope, offset }: Sigmoid, score: number): number {
  return 1 / (1 + Math.exp(slope * score + offset));
}

const MAX_STEPS = 100;
const MIN_STEP = 1e-10;
const RIDGE = 1e-12;
const ENOUGH = 1e-5;

/**
 * Platt's sigmoid by Newton's method with backtracking (Lin, Lin, Weng 2007, "A note on Platt's
 * probabilistic outputs for support vector machines", algorithm 1), with Platt's targets: not 1 and 0 but
 * (n₊ + 1)/(n₊ + 2) and 1/(n₋ + 2). Both sides weigh the same, however many there are: the probability is
 * that of a picture which is as likely of the label as not.
 *
 * @returns null where the positives do not score higher than the negatives
 */
export function fitSigmoid(positives: Float64Array, negatives: Float64Array): Sigmoid | null {
  if (positives.length === 0 || negatives.length === 0) return null;
  const samples: Sample[] = [];
  const count = positives.length + negatives.length;
  const high = (positives.length + 1) / (positives.length + 2);
  const low = 1 / (negatives.length + 2);
  for (const score of positives) {
    samples.push({ score, target: high, weight: count / (2 * positives.length) });
  }
  for (const score of negatives) {
    samples.push({ score, target: low, weight: count / (2 * negatives.length) });
  }
  const fitted = newton(samples);
  return fitted.slope < 0 ? fitted : null;
}

interface Sample {
  readonly score: number;
  readonly target: number;
  readonly weight: number;
}

function newton(samples: readonly Sample[]): Sigmoid {
  let at: Sigmoid = { slope: 0, offset: 0 };
  let loss = lossOf(samples, at);
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const { gradient, hessian } = derivatives(samples, at);
    const [g1, g2] = gradient;
    if (Math.abs(g1) < ENOUGH && Math.abs(g2) < ENOUGH) break;
    const [h11, h22, h21] = hessian;
    const determinant = h11 * h22 - h21 * h21;
    const slope = -(h22 * g1 - h21 * g2) / determinant;
    const offset = -(h11 * g2 - h21 * g1) / determinant;
    const descent = g1 * slope + g2 * offset;
    let size = 1;
    for (; size >= MIN_STEP; size /= 2) {
      const next = { slope: at.slope + size * slope, offset: at.offset + size * offset };
      const nextLoss = lossOf(samples, next);
      if (nextLoss < loss + 0.0001 * size * descent) {
        at = next;
        loss = nextLoss;
        break;
      }
    }
    if (size < MIN_STEP) break;
  }
  return at;
}

/** Cross entropy, in the form that does not overflow. */
function lossOf(samples: readonly Sample[], { slope, offset }: Sigmoid): number {
  let sum = 0;
  for (const { score, target, weight } of samples) {
    const z = slope * score + offset;
    const part =
      z >= 0 ? target * z + Math.log1p(Math.exp(-z)) : (target - 1) * z + Math.log1p(Math.exp(z));
    sum += weight * part;
  }
  return sum;
}

function derivatives(samples: readonly Sample[], sigmoid: Sigmoid) {
  let [g1, g2, h11, h22, h21] = [0, 0, RIDGE, RIDGE, 0];
  for (const { score, target, weight } of samples) {
    const p = probabilityOf(sigmoid, score);
    const curve = weight * p * (1 - p);
    h11 += score * score * curve;
    h22 += curve;
    h21 += score * curve;
    g1 += weight * score * (target - p);
    g2 += weight * (target - p);
  }
  return { gradient: [g1, g2] as const, hessian: [h11, h22, h21] as const };
}
