using System.Text;

namespace KvServer.Server.Commands.Geo;

/// <summary>Units of length.</summary>
internal static class GeoUnit
{
    /// <summary>What is said about any other unit.</summary>
    public static ReadOnlySpan<byte> Unsupported => "ERR unsupported unit provided. please use M, KM, FT, MI"u8;

    /// <summary>Reads a unit.</summary>
    /// <param name="word">Its name.</param>
    /// <param name="metres">How many metres it has.</param>
    public static bool TryParse(ReadOnlySpan<byte> word, out double metres)
    {
        metres = Ascii.EqualsIgnoreCase(word, "m"u8) ? 1
            : Ascii.EqualsIgnoreCase(word, "km"u8) ? 1000
            : Ascii.EqualsIgnoreCase(word, "ft"u8) ? 0.3048
            : Ascii.EqualsIgnoreCase(word, "mi"u8) ? 1609.34
            : 0;
        return metres != 0;
    }
}
