using System.Globalization;
using System.Text;

namespace KvServer.Differential.Tests.Streams;

/// <summary>Draws command arguments that have broken servers before: limits, near-numbers, binary and empty ones.</summary>
public sealed class ArgumentSource(Random random)
{
    private static readonly string[] Integers =
    [
        "0", "1", "-1", "2", "7", "10", "100", "-0", "+1", "01", "1.0", " 1", "1 ", "0x10", "2147483647", "-2147483648",
        "4294967295", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "-9223372036854775809",
        "99999999999999999999999", "", "abc", "1e3",
    ];

    private static readonly string[] Floats =
    [
        "0", "1", "-1", "0.1", "-0.1", "1.5", "3.0e3", "1e-5", "123456789.123456789", "inf", "-inf", "nan", "abc", "",
        " 1", "1 ", "1e400", "0x1p3", ".5", "5.", "1000000", "-2.25",
    ];

    private static readonly string[] Values =
    [
        "", "a", "hello", "12345", "-7", "0", "3.25", "9223372036854775807", "-9223372036854775808", "\0", "a\0b",
        "\r\n", "\u00ff\u00fe", "01", "1e5", "hello world",
    ];

    private static readonly string[] Members =
    [
        "1", "2", "3", "4", "5", "100", "-1", "70000", "-70000", "5000000000", "a", "b", "c", "", "01", "1.0", "\0",
        "\u00ff", "9223372036854775807", "-9223372036854775808", "hello",
    ];

    private static readonly string[] Patterns = ["*", "k*", "?", "s[12]", "[^k]*", "", "1*", "\\*", "[", "*1"];

    /// <summary>One of a few key names, so that commands meet each other's results.</summary>
    public byte[] Key() => Bytes(random.Next(14) switch
    {
        0 => "",
        1 => "k\0",
        < 7 => "k" + random.Next(5).ToString(CultureInfo.InvariantCulture),
        > 11 => "h" + random.Next(5).ToString(CultureInfo.InvariantCulture),
        _ => "s" + random.Next(5).ToString(CultureInfo.InvariantCulture),
    });

    /// <summary>A key that often holds a hash.</summary>
    public byte[] HashKey() =>
        random.Next(6) == 0 ? Key() : Bytes("h" + random.Next(5).ToString(CultureInfo.InvariantCulture));

    /// <summary>Mostly one of a few names that hold lists.</summary>
    public byte[] ListKey() => random.Next(12) == 0
        ? Key()
        : Bytes("l" + random.Next(4).ToString(CultureInfo.InvariantCulture));

    /// <summary>Mostly one of a few names that hold streams.</summary>
    public byte[] StreamKey() => random.Next(20) == 0
        ? Key()
        : Bytes("t" + random.Next(3).ToString(CultureInfo.InvariantCulture));

    /// <summary>Text for a value: short and odd, now and then long.</summary>
    public byte[] Value() => random.Next(20) switch
    {
        0 => RandomBytes(random.Next(0, 200)),
        1 => Bytes(new string('x', random.Next(40, 50))),
        2 when random.Next(8) == 0 => RandomBytes(random.Next(30_000, 36_000)),
        _ => Bytes(Pick(Values)),
    };

    /// <summary>A set member.</summary>
    public byte[] Member() => random.Next(10) switch
    {
        0 => Bytes(random.Next(1000).ToString(CultureInfo.InvariantCulture)),
        1 => Bytes("m" + random.Next(200).ToString(CultureInfo.InvariantCulture)),
        2 when random.Next(10) == 0 => Bytes(new string('y', random.Next(60, 70))),
        _ => Bytes(Pick(Members)),
    };

    /// <summary>An integer or something close to one.</summary>
    public byte[] Integer() => Bytes(random.Next(3) == 0 ? Pick(Integers) : Small());

    /// <summary>A floating point number or something close to one.</summary>
    public byte[] Float() => Bytes(Pick(Floats));

    /// <summary>An index into a string, often negative.</summary>
    public byte[] Index() => Bytes(random.Next(6) == 0
        ? Pick(Integers)
        : random.Next(-20, 60).ToString(CultureInfo.InvariantCulture));

    /// <summary>A bit or byte offset small enough that no server allocates much.</summary>
    public byte[] Offset() => Bytes(random.Next(8) == 0
        ? Pick(["-1", "abc", "", "4294967296", "9223372036854775807", "1.5"])
        : random.Next(0, 2000).ToString(CultureInfo.InvariantCulture));

    /// <summary>A text of few letters, so that two of them have much in common.</summary>
    public byte[] Similar() => Bytes(string.Concat(Enumerable.Range(0, random.Next(60)).Select(_ => Pick(["a", "b", "c"]))));

    /// <summary>A glob pattern.</summary>
    public byte[] Pattern() => Bytes(Pick(Patterns));

    /// <summary>One of several words.</summary>
    public byte[] Word(params string[] words) => Bytes(Pick(words));

    /// <summary>A number below a bound.</summary>
    public int Below(int bound) => random.Next(bound);

    private string Small() => random.Next(-50, 1000).ToString(CultureInfo.InvariantCulture);

    private string Pick(string[] choices) => choices[random.Next(choices.Length)];

    private byte[] RandomBytes(int length)
    {
        byte[] bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);
}
