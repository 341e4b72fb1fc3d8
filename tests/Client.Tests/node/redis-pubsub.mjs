// Publishes and subscribes with the redis package, and mixes pipelines with transactions.
import assert from 'node:assert/strict';
import { createClient, WatchError } from 'redis';

const port = Number(process.argv[2]);
const connect = async (name) => {
  const client = createClient({ socket: { port, host: '127.0.0.1', reconnectStrategy: () => 20 }, database: 10, name });
  client.on('error', () => {
    // Told of the cut below, and comes back.
  });
  await client.connect();
  return client;
};
const client = await connect('node-redis-publisher');
await client.flushDb();

// Many transactions in flight on one connection, each with its own replies.
const transactions = await Promise.all(Array.from({ length: 500 }, (_, i) =>
  client.multi().set(`t:${i}`, String(i)).incr(`t:${i}`).get(`t:${i}`).exec()));
transactions.forEach((replies, i) => assert.deepEqual(replies, ['OK', i + 1, String(i + 1)]));
assert.deepEqual(await client.multi().set('p', '1').incr('p').execAsPipeline(), ['OK', 2]);
await assert.rejects(
  client.executeIsolated(async (isolated) => {
    await isolated.watch('w');
    await client.set('w', 'changed');
    return isolated.multi().set('w', 'mine').exec();
  }),
  WatchError);
assert.equal(await client.get('w'), 'changed');

const subscriber = await connect('node-redis-subscriber');
const seen = { one: [], pattern: [], shard: [] };
await subscriber.subscribe('nr:one', (text) => seen.one.push(text));
await subscriber.pSubscribe('nr:o*', (text, channel) => seen.pattern.push(`${channel} ${text}`));
await subscriber.sSubscribe('nr:shard', (text) => seen.shard.push(text));
const numbers = Array.from({ length: 2000 }, (_, i) => String(i));
const counts = await Promise.all(numbers.map((text) => client.publish('nr:one', text)));
assert.ok(counts.every((count) => count === 2));
assert.ok((await Promise.all(numbers.map((text) => client.sPublish('nr:shard', text)))).every((count) => count === 1));
// A reply on its connection comes behind all messages that were published before it was asked for.
await subscriber.ping();
assert.deepEqual(seen.one, numbers);
assert.deepEqual(seen.pattern, numbers.map((text) => `nr:one ${text}`));
assert.deepEqual(seen.shard, numbers);
assert.deepEqual({ ...(await client.pubSubNumSub(['nr:one', 'nr:none'])) }, { 'nr:one': 1, 'nr:none': 0 });
assert.deepEqual(await client.pubSubShardChannels('nr:*'), ['nr:shard']);
assert.equal(await client.pubSubNumPat(), 1);

await subscriber.pUnsubscribe('nr:o*');
await subscriber.sUnsubscribe('nr:shard');
assert.equal(await client.publish('nr:one', 'one'), 1);
assert.equal(await client.sPublish('nr:shard', 'nobody'), 0);

// Cut off, it comes back and subscribes again.
const ready = new Promise((resolve) => subscriber.once('ready', resolve));
assert.equal(await client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub']), 1);
await ready;
while ((await client.publish('nr:one', 'again')) < 1) {
  // The subscription is still on their way.
}
await subscriber.ping();
assert.equal(seen.one.at(-1), 'again');

await subscriber.disconnect();
await client.quit();
console.log('done');
