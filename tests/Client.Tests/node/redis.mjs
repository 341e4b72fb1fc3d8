// Connects with the redis package and uses strings, sets, expiry, automatic pipelines, scans and channels.
import assert from 'node:assert/strict';
import { createClient, ErrorReply } from 'redis';

const port = Number(process.argv[2]);
const client = createClient({ socket: { port, host: '127.0.0.1' }, database: 8, name: 'node-redis-test' });
client.on('error', (error) => {
  console.error(error);
  process.exit(1);
});
await client.connect();
await client.flushDb();

assert.equal(await client.ping(), 'PONG');
assert.equal(await client.set('k', 'v', { EX: 100 }), 'OK');
assert.equal(await client.get('k'), 'v');
assert.equal(await client.ttl('k'), 100);
assert.equal(await client.set('k', 'w', { NX: true }), null);
assert.equal(await client.set('k', 'w', { GET: true, KEEPTTL: true }), 'v');
assert.equal(await client.getDel('k'), 'w');
assert.equal(await client.incrByFloat('f', 0.5), '0.5');
assert.equal(await client.sAdd('s', ['a', 'b', '3']), 3);
assert.equal(await client.sIsMember('s', 'a'), true);
assert.deepEqual((await client.sMembers('s')).sort(), ['3', 'a', 'b']);
assert.deepEqual(await client.mGet(['f', 'missing']), ['0.5', null]);
assert.equal(await client.setBit('bits', 7, 1), 0);
assert.equal(await client.bitCount('bits'), 1);
await assert.rejects(client.sAdd('f', 'x'), ErrorReply);

await Promise.all(Array.from({ length: 5000 }, (_, i) => client.set(`p:${i}`, String(i))));
const values = await Promise.all(Array.from({ length: 5000 }, (_, i) => client.get(`p:${i}`)));
assert.ok(values.every((value, i) => value === String(i)));

assert.deepEqual(await client.multi().set('m', '1').incr('m').get('m').exec(), ['OK', 2, '2']);

let seen = 0;
for await (const _ of client.scanIterator({ MATCH: 'p:*', COUNT: 500 })) {
  seen++;
}
assert.ok(seen >= 5000);

const subscriber = client.duplicate();
await subscriber.connect();
const message = new Promise((resolve) => {
  subscriber.subscribe('redis:channel', (text, channel) => resolve([channel, text]));
});
while ((await client.publish('redis:channel', 'hello')) === 0) {
  // The subscription is still on its way.
}
assert.deepEqual(await message, ['redis:channel', 'hello']);
await subscriber.unsubscribe('redis:channel');
await subscriber.quit();
assert.equal((await client.configGet('databases')).databases, '16');
await client.quit();
console.log('done');
