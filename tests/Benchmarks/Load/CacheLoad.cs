using System.Globalization;
using System.Text;
using KvServer.TestSupport;

namespace KvServer.Benchmarks.Load;

/// <summary>One connection that uses a server as a cache: asks for keys of a Zipf distribution, sets those that miss.</summary>
/// <remarks>The same seed asks for the same keys in the same order, whatever the server replies.</remarks>
internal sealed class CacheLoad : IDisposable
{
    private const int Batch = 128;

    private readonly RespClient _client;
    private readonly Random _random;
    private readonly double[] _cumulative;
    private readonly string _value;
    private readonly MemoryStream _requests = new();

    /// <summary>Connects.</summary>
    /// <param name="port">The server's loopback port.</param>
    /// <param name="keys">How many keys there are.</param>
    /// <param name="skew">The exponent: the key of rank n is asked for in proportion to n to the power of minus this.</param>
    /// <param name="valueBytes">Bytes of each value.</param>
    /// <param name="seed">Of the choice of keys.</param>
    public CacheLoad(int port, int keys, double skew, int valueBytes, int seed)
    {
        _client = new RespClient(port, receiveTimeoutMs: 120_000);
        _random = new Random(seed);
        _value = new string('v', valueBytes);
        _cumulative = new double[keys];
        double sum = 0;
        for (int i = 0; i < keys; i++)
        {
            sum += Math.Pow(i + 1, -skew);
            _cumulative[i] = sum;
        }
    }

    /// <summary>Requests made so far, and those of them that found their key.</summary>
    public (long Asked, long Hit) Counts { get; private set; }

    /// <summary>Forgets the counts.</summary>
    public void ResetCounts() => Counts = default;

    /// <summary>Asks for some keys.</summary>
    public void Run(int requests)
    {
        string[] keys = new string[Batch];
        for (int done = 0; done < requests; done += Batch)
        {
            List<string> missed = [];
            for (int i = 0; i < Batch; i++)
            {
                keys[i] = NextKey();
                Add("GET", keys[i]);
            }

            Send();
            long hits = 0;
            for (int i = 0; i < Batch; i++)
            {
                if (_client.ReadReply().IsNull)
                {
                    missed.Add(keys[i]);
                }
                else
                {
                    hits++;
                }
            }

            Counts = (Counts.Asked + Batch, Counts.Hit + hits);
            missed.ForEach(key => Add("SET", key, _value));
            Send();
            missed.ForEach(_ => Check(_client.ReadReply()));
        }
    }

    public void Dispose()
    {
        _client.Dispose();
        _requests.Dispose();
    }

    private string NextKey()
    {
        int rank = Array.BinarySearch(_cumulative, _random.NextDouble() * _cumulative[^1]);
        return "item:" + (rank < 0 ? ~rank : rank).ToString("00000000", CultureInfo.InvariantCulture);
    }

    private void Add(params string[] arguments) =>
        TestSupport.CommandLine.AppendRequest(_requests, [.. arguments.Select(Encoding.ASCII.GetBytes)]);

    private void Send()
    {
        _client.SendRaw(_requests.GetBuffer().AsSpan(0, (int)_requests.Length));
        _requests.SetLength(0);
    }

    private static void Check(RespValue reply)
    {
        if (reply.IsError)
        {
            throw new InvalidOperationException($"A SET was refused: {reply.AsString}");
        }
    }
}
