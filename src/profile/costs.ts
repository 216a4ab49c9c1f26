import type { Agreement } from '../inference/agreement.js';
import { NUMERIC_FORMS, type NumericForm } from '../models/variant.js';

/** What one inference of a network costs in one numeric form with so many threads. */
export interface FormCost {
  readonly form: NumericForm;
  readonly threads: number;
  /** Milliseconds of one inference: the middle of all rounds, and the least. */
  readonly medianMs: number;
  readonly minMs: number;
  /** The middle of the turns' least: what other work on the machine hardly touches. */
  readonly quietMs: number;
  /** Processor milliseconds of one inference, all threads. */
  readonly cpuMs: number;
  /** With the reference form, whose own is perfect. */
  readonly agreement: Agreement;
}

/** More threads, or other numbers, must be worth it: a smaller gain does not count. */
export const WORTHWHILE_GAIN = 0.03;

/**
 * The form the others are held against: exact where there is one, the float network itself where
 * there is not, or what comes next.
 */
export function referenceForm(forms: readonly NumericForm[]): NumericForm | null {
  const order: readonly NumericForm[] = ['exact', 'float32', ...NUMERIC_FORMS];
  return order.find((form) => forms.includes(form)) ?? null;
}

export interface Wanted {
  readonly form: 'auto' | NumericForm;
  readonly threads: 'auto' | number;
}

/**
 * The fastest of the costs among those that agree; among equals (within 3 %) the form nearest to the
 * published numbers with the fewest threads. A form that was asked for need not agree. Null if none
 * is as wanted.
 */
export function bestCost(costs: readonly FormCost[], wanted: Wanted): FormCost | null {
  const eligible = costs
    .filter(({ threads }) => wanted.threads === 'auto' || threads === wanted.threads)
    .filter(({ form, agreement }) =>
      wanted.form === 'auto' ? agreement.agrees : form === wanted.form,
    )
    .sort(
      (a, b) =>
        NUMERIC_FORMS.indexOf(a.form) - NUMERIC_FORMS.indexOf(b.form) || a.threads - b.threads,
    );
  return eligible.reduce<FormCost | null>(
    (best, cost) =>
      best === null || cost.quietMs < best.quietMs * (1 - WORTHWHILE_GAIN) ? cost : best,
    null,
  );
}
