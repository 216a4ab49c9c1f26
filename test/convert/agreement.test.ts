import t from 'tap';
import { testAgreement } from './agreement.js';
import { OFFICIAL_V1, OFFICIAL_V2 } from './mirror.js';

// All pictures are compared in test/slow/networks.test.ts.
for (const network of [...OFFICIAL_V1, OFFICIAL_V2]) testAgreement(t, network, 5);
