using System.Text;
using KvServer.Differential.Tests.Running;
using KvServer.Storage;
using KvServer.TestSupport;
using KvServer.TestSupport.Rdb;

namespace KvServer.Differential.Tests.Rdb;

/// <summary>What one server dumps, the other restores.</summary>
public sealed class RdbPayloadTests(EpollPair pair) : RdbTest, IClassFixture<EpollPair>
{
    [Fact]
    public async Task Payloads_of_each_server_restore_on_both_with_the_same_digest()
    {
        ServerPair.RequireReference();
        await pair.ResetAsync();
        using RespClient ours = pair.Ours.Connect();
        using RespClient reference = pair.Reference.Connect();
        foreach ((string key, byte[][] value, bool isSet) in Draw(seed: 1))
        {
            byte[] name = Encoding.UTF8.GetBytes(key);
            byte[][] command = [isSet ? "SADD"u8.ToArray() : "SET"u8.ToArray(), name, .. value];
            Send(ours, command);
            Send(reference, command);
            byte[] ourDump = Send(ours, ["DUMP"u8.ToArray(), name]).Text;
            byte[] theirDump = Send(reference, ["DUMP"u8.ToArray(), name]).Text;
            Restore(ours, "theirs", theirDump);
            Restore(ours, "own", ourDump);
            Restore(reference, "theirs", ourDump);
            string expected = DigestOf(reference, key);
            Assert.Equal(expected, DigestOf(ours, key));
            Assert.Equal(expected, DigestOf(ours, "theirs"));
            Assert.Equal(expected, DigestOf(ours, "own"));
            Assert.Equal(expected, DigestOf(reference, "theirs"));
            string encoding = ours.Execute("OBJECT", "ENCODING", key).AsString;
            Assert.Equal(encoding, ours.Execute("OBJECT", "ENCODING", "theirs").AsString);
            Assert.Equal(encoding, ours.Execute("OBJECT", "ENCODING", "own").AsString);
        }
    }

    [Fact]
    public async Task Hashes_of_each_server_restore_on_both_with_the_same_digest()
    {
        ServerPair.RequireReference();
        await pair.ResetAsync();
        using RespClient ours = pair.Ours.Connect();
        using RespClient reference = pair.Reference.Connect();
        foreach ((string key, byte[][] pairs) in DrawHashes(seed: 1))
        {
            byte[] name = Encoding.UTF8.GetBytes(key);
            byte[][] command = ["HSET"u8.ToArray(), name, .. pairs];
            Send(ours, command);
            Send(reference, command);
            Restore(ours, "theirs", Send(reference, ["DUMP"u8.ToArray(), name]).Text);
            Restore(reference, "theirs", Send(ours, ["DUMP"u8.ToArray(), name]).Text);
            string expected = DigestOf(reference, key);
            Assert.Equal(expected, DigestOf(ours, key));
            Assert.Equal(expected, DigestOf(ours, "theirs"));
            Assert.Equal(expected, DigestOf(reference, "theirs"));
            string encoding = reference.Execute("OBJECT", "ENCODING", key).AsString;
            Assert.Equal(encoding, ours.Execute("OBJECT", "ENCODING", key).AsString);
            Assert.Equal(encoding, ours.Execute("OBJECT", "ENCODING", "theirs").AsString);
        }
    }

    [Fact]
    public async Task The_hand_made_forms_our_tests_use_are_valid_for_the_reference()
    {
        ServerPair.RequireReference();
        await pair.ResetAsync();
        using RespClient reference = pair.Reference.Connect();
        foreach (RdbSamples sample in RdbSamples.All.Where(sample => sample.IsKnownToReference))
        {
            Restore(reference, sample.Name, PayloadOf(sample));
        }
    }

    private static void Restore(RespClient client, string key, byte[] payload) =>
        Send(client, ["RESTORE"u8.ToArray(), Encoding.ASCII.GetBytes(key), "0"u8.ToArray(), payload, "REPLACE"u8.ToArray()]);

    private static string DigestOf(RespClient client, string key) =>
        client.Execute("DEBUG", "DIGEST-VALUE", key).Items[0].AsString;

    private static byte[] PayloadOf(RdbSamples sample)
    {
        byte[] bytes = [(byte)sample.Type, .. sample.Value, 10, 0];
        return [.. bytes, .. BitConverter.GetBytes(Crc64.Append(0, bytes))];
    }
}
