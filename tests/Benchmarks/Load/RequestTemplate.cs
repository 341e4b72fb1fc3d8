using System.Text;

namespace KvServer.Benchmarks.Load;

/// <summary>A request kept as bytes, in which only the number changes from one sending to the next.</summary>
internal sealed class RequestTemplate
{
    private const string Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    private readonly byte[] _request;
    private readonly int _numberAt;
    private readonly int _digits;

    /// <summary>Makes a request of these arguments; the first run of <c>#</c> is where the number goes.</summary>
    public RequestTemplate(params string[] arguments)
    {
        _request = TestSupport.CommandLine.ToRequest([.. arguments.Select(Encoding.ASCII.GetBytes)]);
        _numberAt = _request.AsSpan().IndexOf((byte)'#');
        _digits = _request.AsSpan(_numberAt).IndexOfAnyExcept((byte)'#');
    }

    /// <summary>Writes the number and returns the request, good until the next call.</summary>
    public ReadOnlySpan<byte> With(long number)
    {
        WriteNumber(_request.AsSpan(_numberAt, _digits), number);
        return _request;
    }

    /// <summary>Writes a number with leading zeros.</summary>
    public static void WriteNumber(Span<byte> digits, long number)
    {
        for (int i = digits.Length - 1; i >= 0; i--)
        {
            digits[i] = (byte)('0' + (number % 10));
            number /= 10;
        }
    }

    /// <summary>Writes letters and digits that do not compress.</summary>
    public static void WriteText(Span<byte> text, Random random)
    {
        random.NextBytes(text);
        foreach (ref byte b in text)
        {
            b = (byte)Letters[b & 63];
        }
    }
}
