import { useEffect, useState } from 'preact/hooks';

/** What somebody is about to set, and how a field is kept at it. */
export interface Draft {
  /** What the field shows: the draft, or else what is in force. */
  readonly shown: string | number;
  readonly onInput: (event: { readonly currentTarget: { readonly value: string } }) => void;
  readonly onBlur: () => void;
}

/**
 * A field of a value that the daemon tells twice a second: what is typed or dragged stays until it is left, or
 * until another value is in force, and is not overwritten meanwhile.
 */
export function useDraft(inForce: number): Draft {
  const [draft, setDraft] = useState<string | null>(null);
  useEffect(() => setDraft(null), [inForce]);
  return {
    shown: draft ?? inForce,
    onInput: (event) => setDraft(event.currentTarget.value),
    onBlur: () => setDraft(null),
  };
}
