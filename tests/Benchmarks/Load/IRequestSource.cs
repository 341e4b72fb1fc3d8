namespace KvServer.Benchmarks.Load;

/// <summary>Makes the requests of one connection. One thread at a time.</summary>
internal interface IRequestSource
{
    /// <summary>What the requests are called; connections of one name are counted together.</summary>
    string Name { get; }

    /// <summary>The next request, good until the next call.</summary>
    ReadOnlySpan<byte> Next();
}
