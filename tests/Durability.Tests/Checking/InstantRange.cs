using System.Globalization;

namespace KvServer.Durability.Tests.Checking;

/// <summary>Instants between two events: after the one numbered <paramref name="After"/>, before <paramref name="Before"/>.</summary>
internal readonly record struct InstantRange(long After, long Before)
{
    /// <summary>Whether the instant right after an event lies in it.</summary>
    public bool HoldsRightAfter(long number) => After <= number && number < Before;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"({After}, {Before})");
}
