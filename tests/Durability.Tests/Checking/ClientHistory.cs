using KvServer.Durability.Tests.Traffic;

namespace KvServer.Durability.Tests.Checking;

/// <summary>What one client did in a round.</summary>
/// <param name="Number">Its number, which its keys begin with.</param>
/// <param name="Initial">What its keys held at the start.</param>
/// <param name="Writes">Its writes in the order they were sent.</param>
internal sealed record ClientHistory(
    int Number, IReadOnlyDictionary<KeyId, ModelValue> Initial, IReadOnlyList<Write> Writes);
