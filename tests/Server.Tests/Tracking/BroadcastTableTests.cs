using System.Text;
using KvServer.Server.Observability;
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

    [Fact]
    public void Prefixes_in_the_worst_order_are_taken_in_a_moment()
    {
        List<string> request = ["CLIENT", "TRACKING", "ON", "BCAST"];
        for (int i = 200_000; i > 0; i--)
        {
            request.AddRange(["PREFIX", i.ToString("D6", System.Globalization.CultureInfo.InvariantCulture)]);
        }

        TestClient client = Connect(protocol: 3);
        double before = CpuSeconds();
        Assert.Equal("+OK\r\n", client.Raw([.. request]));
        Assert.InRange(CpuSeconds() - before, 0, 4); // One by one they take some ten seconds.
        Assert.Equal(200_000, Server.Tracking.PrefixCount);
        Assert.Equal("000001", Encoding.ASCII.GetString(client.Session.Tracking!.Prefixes[0]));
        client.Raw("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "x", "PREFIX", "a", "PREFIX", "0000001", "PREFIX", "000000");
        Assert.Equal(200_000, Server.Tracking.PrefixCount); // One overlaps.
        client.Raw("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "x", "PREFIX", "a", "PREFIX", "000000");
        List<byte[]> all = client.Session.Tracking!.Prefixes;
        Assert.Equal(200_003, all.Count);
        Assert.All(all.Skip(1).Zip(all), pair => Assert.True(pair.Second.AsSpan().SequenceCompareTo(pair.First) < 0));
        before = CpuSeconds();
        client.Raw("CLIENT", "TRACKING", "OFF");
        Assert.InRange(CpuSeconds() - before, 0, 4);
        Assert.Equal(0, Server.Tracking.PrefixCount);
    }

    [Fact]
    public void Thousands_of_lengths_cost_a_long_key_one_pass()
    {
        List<string> request = ["CLIENT", "TRACKING", "ON", "BCAST"];
        for (int length = 0; length < 4000; length++)
        {
            request.AddRange(["PREFIX", new string('b', length) + "a"]);
        }

        TestClient client = Connect(protocol: 3);
        Assert.Equal("+OK\r\n", client.Raw([.. request]));
        string key = new('b', 4000);
        double before = CpuSeconds();
        for (int i = 0; i < 1000; i++)
        {
            Run("SET", key, "1");
        }

        Assert.InRange(CpuSeconds() - before, 0, 1); // A hash for each length takes four times as long at least.
        Run("SET", key + "b", "1");
        Run("SET", key[..1000] + "axyz", "1");
        Executor.EndTurn();
        Assert.Equal($">2\r\n$10\r\ninvalidate\r\n*1\r\n$1004\r\n{key[..1000]}axyz\r\n", client.TakeOutput());
    }

    private static double CpuSeconds()
    {
        (double kernel, double user) = ProcessFigures.ThreadCpuSeconds;
        return kernel + user;
    }

    private static string Word(Random random) =>
        string.Concat(Enumerable.Range(0, random.Next(7)).Select(_ => random.Next(2) == 0 ? 'a' : 'b'));
}
