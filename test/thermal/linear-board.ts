/** A board that is exactly what the observer models. */
export function linearBoard(gains: readonly number[], ambientC: number) {
  const taus = [7, 90, 700];
  const x = [0, 0, 0];
  return {
    step(load: number): number {
      taus.forEach((tau, i) => {
        x[i] = (x[i] ?? 0) + (1 - Math.exp(-1 / tau)) * (load - (x[i] ?? 0));
      });
      return ambientC + gains.reduce((sum, g, i) => sum + g * (x[i] ?? 0), 0);
    },
  };
}
