namespace KvServer.Server.Persistence.Aof;

/// <summary>One line of the manifest.</summary>
/// <param name="Name">The file's name, without any folder.</param>
/// <param name="Sequence">Its number among the files of its kind, at least 1.</param>
/// <param name="Kind">What it is for.</param>
internal sealed record AofFileInfo(string Name, long Sequence, AofFileKind Kind);
