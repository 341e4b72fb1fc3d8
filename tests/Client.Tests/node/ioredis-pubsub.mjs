// Publishes and subscribes with ioredis, and mixes pipelines with transactions.
import assert from 'node:assert/strict';
import Redis from 'ioredis';

const port = Number(process.argv[2]);
const options = { port, host: '127.0.0.1', db: 9, maxRetriesPerRequest: 2, retryStrategy: () => 20 };
const redis = new Redis({ ...options, connectionName: 'ioredis-publisher' });
await redis.flushdb();

// Resolves with the arguments of the events once so many have come.
const collect = (emitter, event, count) => new Promise((resolve) => {
  const seen = [];
  const add = (...args) => {
    seen.push(args);
    if (seen.length === count) {
      emitter.off(event, add);
      resolve(seen);
    }
  };
  emitter.on(event, add);
});

// Transactions inside pipelines, some of whose commands fail.
const mixed = await redis.pipeline().set('a', '1').multi().incr('a').incr('a').exec().get('a').exec();
assert.deepEqual(mixed.map(([error, reply]) => [error, reply]),
  [[null, 'OK'], [null, 'OK'], [null, 'QUEUED'], [null, 'QUEUED'], [null, [2, 3]], [null, '3']]);
const transactions = await Promise.all(Array.from({ length: 200 }, (_, i) =>
  redis.multi({ pipeline: true }).set(`t:${i}`, i).incr(`t:${i}`).lpush(`t:${i}`, 'x').exec()));
transactions.forEach((results, i) => {
  assert.deepEqual(results.slice(0, 2), [[null, 'OK'], [null, i + 1]]);
  assert.match(results[2][0].message, /WRONGTYPE/);
});
await redis.multi({ pipeline: false });
await redis.set('q', '1');
await assert.rejects(redis.call('incr'), /wrong number/);
await assert.rejects(redis.exec(), /EXECABORT/);
assert.equal(await redis.get('q'), null);

// Channels, patterns and shard channels on one connection; messages come in the order they were published.
const subscriber = new Redis({ ...options, connectionName: 'ioredis-subscriber' });
assert.equal(await subscriber.subscribe('io:one', 'io:two'), 2);
assert.equal(await subscriber.psubscribe('io:t*'), 3);
assert.equal(await subscriber.ssubscribe('io:shard'), 1);
await assert.rejects(subscriber.get('k'), /subscriber mode/);
const messages = collect(subscriber, 'message', 3000);
const patterned = collect(subscriber, 'pmessage', 1500);
const sharded = collect(subscriber, 'smessage', 1000);
const counts = await Promise.all(Array.from({ length: 1500 }, async (_, i) => [
  await redis.publish('io:one', `one ${i}`),
  await redis.publish('io:two', `two ${i}`),
  i % 3 === 0 ? null : await redis.spublish('io:shard', `shard ${i}`),
]));
assert.ok(counts.every(([one, two, shard]) => one === 1 && two === 2 && shard !== 0));
const received = await messages;
const textsOf = (name) => received.filter(([channel]) => channel === name).map(([, text]) => text);
const numbers = Array.from({ length: 1500 }, (_, i) => i);
assert.deepEqual(textsOf('io:one'), numbers.map((i) => `one ${i}`));
assert.deepEqual(textsOf('io:two'), numbers.map((i) => `two ${i}`));
assert.deepEqual((await patterned).map((args) => args.join(' ')), numbers.map((i) => `io:t* io:two two ${i}`));
assert.deepEqual((await sharded).map(([, text]) => text), numbers.filter((i) => i % 3).map((i) => `shard ${i}`));
assert.deepEqual(await redis.pubsub('NUMSUB', 'io:one', 'io:none'), ['io:one', 1, 'io:none', 0]);
assert.deepEqual(await redis.pubsub('SHARDNUMSUB', 'io:shard'), ['io:shard', 1]);
assert.match(await redis.client('LIST', 'TYPE', 'pubsub'), /name=ioredis-subscriber .* sub=2 psub=1 ssub=1 /);

// Large messages, binary ones and an empty one.
const buffers = collect(subscriber, 'messageBuffer', 3);
const payloads = [Buffer.alloc(3_000_000, 0xf1), Buffer.from([0, 13, 10, 255]), Buffer.alloc(0)];
for (const payload of payloads) {
  assert.equal(await redis.publish('io:one', payload), 1);
}
assert.deepEqual((await buffers).map(([, payload]) => payload), payloads);

// Cut off, it comes back and subscribes again.
const back = new Promise((resolve) => subscriber.once('ready', resolve));
assert.equal(await redis.client('KILL', 'TYPE', 'pubsub'), 1);
await back;
const again = collect(subscriber, 'message', 1);
while ((await redis.publish('io:one', 'again')) === 0) {
  // The subscription is still on its way.
}
assert.equal((await again)[0][1], 'again');

subscriber.disconnect();
assert.equal(await redis.quit(), 'OK');
console.log('done');
