import { createHash } from 'node:crypto';
import t from 'tap';
import { createLogin, parseChallenges } from '#mobilenetd/camera/http/digest.js';

const MUFASA = { username: 'Mufasa', password: 'Circle of Life' };
const NONCE = '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v';
const OPAQUE = 'FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS';
const CNONCE = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ';

t.test('the examples of RFC 7616, 3.9.1', (t) => {
  for (const [algorithm, response] of [
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ] as const) {
    const login = createLogin(MUFASA, () => CNONCE);
    t.equal(login.header('GET', '/dir/index.html'), null, 'nothing before it is asked');
    t.ok(
      login.challenge(
        `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="${NONCE}", opaque="${OPAQUE}"`,
      ),
    );
    const header = login.header('GET', '/dir/index.html') ?? '';
    t.match(header, `response="${response}"`);
    for (const field of ['username="Mufasa"', 'nc=00000001', 'qop=auth', `opaque="${OPAQUE}"`]) {
      t.ok(header.includes(field), field);
    }
    t.match(login.header('GET', '/dir/index.html'), 'nc=00000002');
  }
  t.end();
});

t.test('without qop, as old cameras ask (RFC 2069)', (t) => {
  const login = createLogin({ username: 'admin', password: 'a"b\\c' });
  t.ok(login.challenge('Digest realm="IP Camera", nonce="abc"'));
  const md5 = (text: string) => createHash('md5').update(text).digest('hex');
  const expected = md5(`${md5('admin:IP Camera:a"b\\c')}:abc:${md5('GET:/a?b=c')}`);
  t.match(login.header('GET', '/a?b=c'), `uri="/a?b=c", response="${expected}"`);
  t.end();
});

t.test('the strongest of several offers; Basic when there is no other', (t) => {
  const both = createLogin(MUFASA);
  t.ok(both.challenge('Basic realm="c", Digest realm="c", nonce="1", algorithm=MD5'));
  t.match(both.header('GET', '/'), /^Digest /);
  const two = createLogin(MUFASA);
  t.ok(
    two.challenge('Digest realm="c", nonce="1", Digest realm="c", nonce="1", algorithm=SHA-256'),
  );
  t.match(two.header('GET', '/'), /algorithm=SHA-256/);
  for (const header of ['Basic realm="c"', 'Basic', undefined]) {
    const basic = createLogin({ username: 'u', password: 'p:ä' });
    t.ok(basic.challenge(header));
    t.equal(basic.header('GET', '/'), `Basic ${Buffer.from('u:p:ä').toString('base64')}`);
    t.notOk(basic.challenge(header), 'asked again: it was wrong');
  }
  t.notOk(createLogin(MUFASA).challenge('Bearer realm="c"'));
  t.notOk(createLogin(null).challenge('Basic realm="c"'));
  t.end();
});

t.test('a new nonce is answered, a refused answer is not repeated', (t) => {
  const login = createLogin(MUFASA);
  t.ok(login.challenge('Digest realm="c", nonce="1"'));
  t.ok(login.challenge('Digest realm="c", nonce="2", stale=true'));
  t.match(login.header('GET', '/'), 'nonce="2"');
  t.notOk(login.challenge('Digest realm="c", nonce="2"'));
  t.end();
});

t.test('challenges in all their spellings', (t) => {
  t.match(parseChallenges('Digest realm = "a, b=\\"c\\"" ,nonce=x,Basic realm=y'), [
    {
      scheme: 'digest',
      parameters: new Map([
        ['realm', 'a, b="c"'],
        ['nonce', 'x'],
      ]),
    },
    { scheme: 'basic', parameters: new Map([['realm', 'y']]) },
  ]);
  t.same(parseChallenges(''), []);
  t.end();
});
