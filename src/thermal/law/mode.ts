import type { GovernorMode, Reliance } from '../sample.js';
import type { Known } from './identify.js';

/** Neither the sensor nor the model tells the temperature. */
export function isBlind(s: Pick<Known, 'estimateC' | 'verdict' | 'acquainted'>): boolean {
  return s.estimateC === null || (s.verdict.trust === 'lost' && !s.acquainted);
}

/** What the temperature is taken from. */
export function relianceOf(
  s: Pick<Known, 'estimateC' | 'verdict' | 'acquainted' | 'guided'>,
): Reliance {
  if (s.verdict.trust === 'good') return 'sensor';
  if (isBlind(s)) return 'nothing';
  return s.guided && s.acquainted ? 'model and second sensor' : 'model';
}

/** @param full nothing is in the way of the best rung at the requested rate */
export function modeOf(
  { verdict, inEmergency }: Pick<Known, 'verdict'> & { readonly inEmergency: boolean },
  full: boolean,
): GovernorMode {
  if (verdict.trust === 'coasting') return inEmergency ? 'emergency' : 'coasting';
  if (verdict.trust !== 'good') return 'fault';
  if (inEmergency) return 'emergency';
  return full ? 'full' : 'limited';
}
