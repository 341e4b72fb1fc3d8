using System.Text;

namespace KvServer.Benchmarks.Load;

/// <summary>GET and SET of random keys, as a <see cref="KeyFiller"/> with 12 digits and 64-byte values set them.</summary>
internal sealed class KeyRequests : IRequestSource
{
    /// <summary>Digits of the number in a key.</summary>
    public const int Digits = 12;

    /// <summary>Bytes of a value.</summary>
    public const int ValueBytes = 64;

    private readonly Random _random;
    private readonly int _keys;
    private readonly int _setPercent;
    private readonly RequestTemplate _get;
    private readonly RequestTemplate _set;

    /// <summary>Makes a source.</summary>
    /// <param name="keys">How many keys there are.</param>
    /// <param name="setPercent">How many of 100 requests are SETs.</param>
    /// <param name="seed">What the order of keys depends on.</param>
    public KeyRequests(int keys, int setPercent, int seed)
    {
        _random = new Random(seed);
        _keys = keys;
        _setPercent = setPercent;
        byte[] value = new byte[ValueBytes];
        RequestTemplate.WriteText(value, _random);
        string key = "key:" + new string('#', Digits);
        _get = new RequestTemplate("GET", key);
        _set = new RequestTemplate("SET", key, Encoding.ASCII.GetString(value));
        Name = setPercent == 100 ? "SET" : $"GET {100 - setPercent} %, SET {setPercent} %";
    }

    public string Name { get; }

    public ReadOnlySpan<byte> Next() =>
        (_random.Next(100) < _setPercent ? _set : _get).With(_random.Next(_keys));
}
