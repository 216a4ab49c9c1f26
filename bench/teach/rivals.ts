import { innerProduct } from '#mobilenetd/teach/triangle.js';

/** Pictures to learn from, as places: vectors with the number of their label. */
export interface Lesson {
  readonly places: readonly Float64Array[];
  readonly labels: readonly number[];
  readonly count: number;
}

/** Names the label of a place. */
export type Classifier = (place: Float64Array) => number;

/** The nearest class mean (Wang, Chao, Weinberger, van der Maaten 2019), of centred unit vectors. */
export function simpleShot(lesson: Lesson): Classifier {
  const means = classMeans(lesson);
  const halves = means.map((mean) => innerProduct(mean, mean) / 2);
  return (place) => highest(means.map((mean, k) => innerProduct(mean, place) - (halves[k] ?? 0)));
}

/** The class mean of the smallest angle (Qi, Brown, Lowe 2018, "weight imprinting"), of unit vectors. */
export function imprinting(lesson: Lesson): Classifier {
  const means = classMeans(lesson).map((mean) => {
    const length = Math.sqrt(innerProduct(mean, mean)) || 1;
    return mean.map((value) => value / length);
  });
  return (place) => highest(means.map((mean) => innerProduct(mean, place)));
}

const STEPS = 300;
const RATE = 0.5;
const DECAY = 1e-3;

/** Softmax regression in its dual form by gradient descent, with a penalty on the weights. */
export function logistic({ places, labels, count }: Lesson): Classifier {
  const kernel = places.map((a) => Float64Array.from(places, (b) => innerProduct(a, b) * SCALE));
  const dual = Array.from({ length: count }, () => new Float64Array(places.length));
  for (let step = 0; step < STEPS; step += 1) {
    for (const [row, similar] of kernel.entries()) {
      const scores = dual.map((weights) => innerProduct(weights, similar));
      const top = Math.max(...scores);
      const shares = scores.map((score) => Math.exp(score - top));
      const sum = shares.reduce((a, b) => a + b, 0);
      for (const [k, weights] of dual.entries()) {
        const error = (labels[row] === k ? 1 : 0) - (shares[k] as number) / sum;
        weights[row] = (weights[row] as number) * (1 - RATE * DECAY) + RATE * error;
      }
    }
  }
  return (place) => {
    const similar = Float64Array.from(places, (other) => innerProduct(other, place) * SCALE);
    return highest(dual.map((weights) => innerProduct(weights, similar)));
  };
}

/** Unit vectors are close together: scores of some units need a scale. */
const SCALE = 5;

function classMeans({ places, labels, count }: Lesson): Float64Array[] {
  return Array.from({ length: count }, (_, label) => {
    const own = places.filter((_, row) => labels[row] === label);
    const mean = new Float64Array(places[0]?.length ?? 0);
    for (const place of own) {
      for (let k = 0; k < mean.length; k += 1) {
        mean[k] = (mean[k] as number) + (place[k] as number) / own.length;
      }
    }
    return mean;
  });
}

function highest(scores: readonly number[]): number {
  return scores.indexOf(Math.max(...scores));
}
