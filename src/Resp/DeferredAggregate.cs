namespace KvServer.Resp;

/// <summary>An aggregate whose length is not known yet; <see cref="ReplyWriter.End"/> takes it.</summary>
public readonly struct DeferredAggregate
{
    internal DeferredAggregate(int index) => Index = index;

    internal int Index { get; }
}
