import t from 'tap';
import { PASSWORD, servePage, USERS } from './page-server.js';

const ANNA = { user: 'anna', password: PASSWORD };
const BERT = { user: 'bert', password: 'battery' };

t.test('a password of his own does not buy more tries of another', async (t) => {
  const page = await servePage(t, { users: USERS });
  const statuses: number[] = [];
  for (let round = 0; round < 4; round += 1) {
    const wrong = [1, 2].map((each) => ({ user: 'anna', password: `no ${round} ${each}` }));
    for (const tried of [...wrong, BERT]) {
      statuses.push((await page.post('/api/v1/login', tried)).status);
    }
  }
  t.same(statuses, [401, 401, 200, 401, 401, 200, 401, 429, 429, 429, 429, 429]);
});

t.test('who logs in often is never made to wait', async (t) => {
  const page = await servePage(t, { users: USERS });
  for (let round = 0; round < 12; round += 1) {
    t.equal((await page.post('/api/v1/login', BERT)).status, 200);
  }
});

t.test('nobody ends the session of another by beginning many', async (t) => {
  const page = await servePage(t, { users: USERS });
  const begin = async (who: object) => {
    const { headers } = await page.post('/api/v1/login', who);
    return { Cookie: String(headers['set-cookie']).split(';')[0] ?? '' };
  };
  const statusOf = async (cookie: Record<string, string>) =>
    (await page.ask('/api/v1/state', { headers: cookie })).status;
  const anna = await begin(ANNA);
  const first = await begin(BERT);
  const others: Record<string, string>[] = [];
  for (let count = 0; count < 20; count += 1) others.push(await begin(BERT));
  t.equal(await statusOf(anna), 200);
  t.equal(await statusOf(first), 401, 'the oldest of his own ends');
  for (const each of others) t.equal(await statusOf(each), 200);
});
