namespace KvServer.Storage;

/// <summary>What <see cref="StreamNodeCheck"/> finds in a node.</summary>
/// <param name="Count">How many entries are not deleted; redis-server may keep a node without any.</param>
/// <param name="FirstId">The id of the first of these.</param>
/// <param name="LastId">The id of the last of these.</param>
/// <param name="IsOrdered">Whether the ids of the deleted ones keep the order too. They need not: XSETID may go back
/// behind them, and redis-server then adds lower ids to the same node.</param>
internal readonly record struct StreamNodeFigures(long Count, StreamId FirstId, StreamId LastId, bool IsOrdered);
