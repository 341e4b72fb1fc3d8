namespace KvServer.Benchmarks.Load;

/// <summary>Makes the requests of one connection. One thread at a time.</summary>
internal interface IRequestSource
{
    /// <summary>What the requests are called; connections of one name are counted together.</summary>
    string Name { get; }

    /// <summary>How long every reply is; 0 when it is one line, or a bulk string that says how long it is.</summary>
    int ReplyBytes => 0;

    /// <summary>The next request, good until the next call.</summary>
    ReadOnlySpan<byte> Next();
}
