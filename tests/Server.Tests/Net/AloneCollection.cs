namespace KvServer.Server.Tests.Net;

/// <summary>Tests that must not share the process with others while they run.</summary>
[CollectionDefinition(nameof(AloneCollection), DisableParallelization = true)]
public sealed class AloneCollection;
