namespace KvServer.Storage;

/// <summary>Numbers of the RDB format that reader and writer share.</summary>
public static class RdbFormat
{
    /// <summary>The version we write: the newest one redis-server 7.0 loads, with nothing in it that it does not
    /// know.</summary>
    public const int WrittenVersion = 10;

    /// <summary>The version we write when fields of hashes expire, which servers before 7.4 know nothing of: they refuse
    /// the file at its first line.</summary>
    public const int WrittenVersionWithFieldExpiry = 12;

    /// <summary>The newest version we read.</summary>
    public const int NewestVersion = 12;

    /// <summary>Bytes after a DUMP payload's value: version and checksum.</summary>
    public const int PayloadFooterBytes = PayloadVersionBytes + ChecksumBytes;

    /// <summary>The name a file says wrote it.</summary>
    public const string ServerVersion = "7.2.4";

    internal const int PayloadVersionBytes = 2;
    internal const int ChecksumBytes = 8;
    internal const int VersionDigits = 4;
    internal const int HeaderBytes = 9;

    // The first version whose end carries a checksum.
    internal const int FirstVersionWithChecksum = 5;

    internal const byte SlotInfo = 0xF4;
    internal const byte Function = 0xF5;
    internal const byte FunctionOld = 0xF6;
    internal const byte ModuleAux = 0xF7;
    internal const byte Idle = 0xF8;
    internal const byte Frequency = 0xF9;
    internal const byte Aux = 0xFA;
    internal const byte ResizeDb = 0xFB;
    internal const byte ExpiryMs = 0xFC;
    internal const byte ExpirySeconds = 0xFD;
    internal const byte SelectDb = 0xFE;
    internal const byte End = 0xFF;

    // Lengths: the two highest bits of the first byte, or the whole of it.
    internal const int Length6 = 0;
    internal const int Length14 = 1;
    internal const int Encoded = 3;
    internal const byte Length32 = 0x80;
    internal const byte Length64 = 0x81;
    internal const byte EncodedInt8 = 0xC0;
    internal const byte EncodedInt16 = 0xC1;
    internal const byte EncodedInt32 = 0xC2;
    internal const byte EncodedLzf = 0xC3;

    // A node of a list says what it is: one long element, or a listpack.
    internal const int PlainListNode = 1;
    internal const int PackedListNode = 2;

    internal static ReadOnlySpan<byte> Magic => "REDIS"u8;
}
