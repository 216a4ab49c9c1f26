/**
 * A score as it would be at another temperature: σ(logit(score) / temperature). Above 1 it moves
 * towards ½, below 1 away from it; 0, ½ and 1 stay. Its inverse is the same with 1 / temperature.
 *
 * @param score 0 to 1
 * @param temperature above 0 (Guo et al. 2017, "On Calibration of Modern Neural Networks")
 */
export function temperedScore(score: number, temperature: number): number {
  if (temperature === 1) return score;
  const [pro, contra] = [score ** (1 / temperature), (1 - score) ** (1 / temperature)];
  return pro / (pro + contra);
}

/**
 * The same of one of many scores that a softmax has made: all of them share what is given or taken.
 *
 * @param scores of all classes, together 1
 * @param at which of them
 */
export function temperedShare(scores: readonly number[], at: number, temperature: number): number {
  let sum = 0;
  for (const score of scores) sum += score ** (1 / temperature);
  return (scores[at] ?? 0) ** (1 / temperature) / sum;
}
