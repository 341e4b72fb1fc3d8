using System.Globalization;

namespace KvServer.Durability.Tests.Checking;

/// <summary>The instants between two events.</summary>
/// <param name="After">The number of the event before them.</param>
/// <param name="Before">The number of the event after them.</param>
internal readonly record struct InstantRange(long After, long Before)
{
    /// <summary>Whether the instant right after an event lies in it.</summary>
    public bool HoldsRightAfter(long number) => After <= number && number < Before;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"({After}, {Before})");
}
