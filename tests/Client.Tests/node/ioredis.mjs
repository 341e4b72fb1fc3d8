// Connects with ioredis and uses strings, sets, expiry, pipelines, scans and channels.
import assert from 'node:assert/strict';
import Redis from 'ioredis';

const port = Number(process.argv[2]);
const redis = new Redis({ port, host: '127.0.0.1', db: 7, connectionName: 'ioredis-test', maxRetriesPerRequest: 1 });
await redis.flushdb();

assert.equal(await redis.ping(), 'PONG');
assert.equal(await redis.set('k', 'v', 'EX', 100), 'OK');
assert.equal(await redis.get('k'), 'v');
assert.equal(await redis.ttl('k'), 100);
assert.equal(await redis.set('k', 'w', 'NX'), null);
assert.deepEqual(await redis.getBuffer('k'), Buffer.from('v'));
assert.equal(await redis.incrby('n', 5), 5);
assert.equal(await redis.sadd('s', 'a', 'b', 'c'), 3);
assert.deepEqual((await redis.smembers('s')).sort(), ['a', 'b', 'c']);
assert.deepEqual(await redis.smismember('s', 'a', 'z'), [1, 0]);
assert.deepEqual(await redis.mget('k', 'missing'), ['v', null]);
await assert.rejects(redis.sadd('k', 'x'), /WRONGTYPE/);
await assert.rejects(redis.call('NOSUCH'), /unknown command/);

const pipeline = redis.pipeline();
for (let i = 0; i < 5000; i++) {
  pipeline.set(`p:${i}`, i);
}
const replies = await pipeline.exec();
assert.equal(replies.length, 5000);
assert.ok(replies.every(([error, reply]) => error === null && reply === 'OK'));

const results = await redis.multi().set('m', '1').incr('m').sadd('m', 'x').get('m').exec();
assert.deepEqual([results[0], results[1], results[3]], [[null, 'OK'], [null, 2], [null, '2']]);
assert.match(results[2][0].message, /WRONGTYPE/);
const other = redis.duplicate();
await redis.watch('m');
await other.set('m', '5');
assert.equal(await redis.multi().incr('m').exec(), null);
assert.equal(await redis.get('m'), '5');
other.disconnect();

const seen = new Set();
for await (const keys of redis.scanStream({ match: 'p:*', count: 500 })) {
  keys.forEach((key) => seen.add(key));
}
assert.equal(seen.size, 5000);

const subscriber = redis.duplicate();
await subscriber.subscribe('ioredis:channel');
const message = new Promise((resolve) => subscriber.on('message', (channel, text) => resolve([channel, text])));
assert.equal(await redis.publish('ioredis:channel', 'hello'), 1);
assert.deepEqual(await message, ['ioredis:channel', 'hello']);
await subscriber.unsubscribe('ioredis:channel');

assert.match(await redis.client('LIST'), /name=ioredis-test/);
subscriber.disconnect();
assert.equal(await redis.quit(), 'OK');
console.log('done');
