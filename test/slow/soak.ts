/**
 * How long a soak lasts. `npm run test:slow` has each long enough to find what it looks for; `npm run test:soak`
 * (before a release) as long as its bar says.
 */
export const IS_SOAK = process.env.MOBILENETD_SOAK === '1';

/** @param short in `npm run test:slow` @param long in `npm run test:soak`; same unit, or some of the same cases */
export function soak<T>(short: T, long: T): T {
  return IS_SOAK ? long : short;
}
