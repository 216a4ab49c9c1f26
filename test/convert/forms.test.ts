import t from 'tap';
import { testForms } from './forms.js';
import { OFFICIAL_V1 } from './mirror.js';

// The larger ones are in test/slow/networks.test.ts.
testForms(t, OFFICIAL_V1[0]);
