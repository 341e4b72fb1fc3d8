using System.Text;
using KvServer.Server.Tracking;

namespace KvServer.Server.Tests.Tracking;

public sealed class BroadcastTableTests : CommandHarness
{
    [Fact]
    public void Every_prefix_that_begins_a_key_is_found_and_no_other()
    {
        Random random = new(7);
        BroadcastTable table = new();
        HashSet<string> names = [];
        for (int round = 0; round < 3000; round++)
        {
            string name = Word(random);
            if (names.Add(name))
            {
                table.Add(Client.Session, Encoding.ASCII.GetBytes(name));
            }
            else
            {
                names.Remove(name);
                table.Remove(Client.Session, Encoding.ASCII.GetBytes(name));
            }

            string key = Word(random);
            table.KeyChanged(Encoding.ASCII.GetBytes(key), changedBy: null);
            Assert.Equal(
                names.Where(prefix => key.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal),
                table.TakeChanged().Select(Taken));
            Assert.Equal(names.Count, table.Count);
        }

        static string Taken(BroadcastPrefix prefix)
        {
            prefix.Forget();
            return Encoding.ASCII.GetString(prefix.Name);
        }
    }

    [Fact]
    public void A_hash_grows_with_its_key()
    {
        byte[] key = new byte[300];
        new Random(1).NextBytes(key);
        HashSet<ulong> seen = [];
        ulong hash = 0;
        for (int length = 0; length < key.Length; length++)
        {
            Assert.Equal(PrefixHash.Append(0, key.AsSpan(0, length)), hash);
            Assert.True(seen.Add(hash));
            hash = PrefixHash.Append(hash, key.AsSpan(length, 1));
        }

        Assert.NotEqual(PrefixHash.Append(0, new byte[1]), PrefixHash.Append(0, new byte[2]));
    }

    private static string Word(Random random) =>
        string.Concat(Enumerable.Range(0, random.Next(7)).Select(_ => random.Next(2) == 0 ? 'a' : 'b'));
}
