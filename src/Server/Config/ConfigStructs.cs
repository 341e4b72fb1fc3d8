using System.Runtime.InteropServices;

namespace KvServer.Server.Config;

/// <summary>How many unread reply bytes a class of clients may have; 0 means no limit.</summary>
/// <param name="HardBytes">The connection is closed as soon as this is reached.</param>
/// <param name="SoftBytes">The connection is closed when this is exceeded for <paramref name="SoftSeconds"/> on end.</param>
/// <param name="SoftSeconds">See <paramref name="SoftBytes"/>.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct ClientOutputBufferLimit(long HardBytes, long SoftBytes, long SoftSeconds);

/// <summary>Save when this many changes were made in this many seconds.</summary>
/// <param name="Seconds">At least 1.</param>
/// <param name="Changes">At least 0.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct SavePoint(long Seconds, int Changes);

/// <summary>An amount of memory, in bytes or in percent of <c>maxmemory</c>.</summary>
/// <param name="Amount">Bytes, or 0 to 100.</param>
/// <param name="IsPercent">Which of the two.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct MemoryAmount(long Amount, bool IsPercent)
{
    /// <summary>The amount in bytes, given what 100 % is.</summary>
    public long ToBytes(long wholeBytes) => IsPercent ? (long)(wholeBytes / 100.0 * Amount) : Amount;
}

/// <summary>Where the master of this replica is.</summary>
/// <param name="Host">A name or an address; empty when this server is a master.</param>
/// <param name="Port">0 to 65535.</param>
public sealed record MasterAddress(string Host, int Port);
