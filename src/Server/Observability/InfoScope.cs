namespace KvServer.Server.Observability;

/// <summary>Who gets a section of INFO without naming it.</summary>
internal enum InfoScope
{
    /// <summary>Everybody.</summary>
    Default,

    /// <summary>Those who ask for <c>all</c> or <c>everything</c>.</summary>
    All,

    /// <summary>Nobody.</summary>
    Named,
}
