using System.Buffers;
using System.Diagnostics;

namespace KvServer.Resp;

/// <content>Aggregates whose length is known only at their end.</content>
public sealed partial class ReplyWriter
{
    private DeferredBuffer? _deferred;
    private bool _isDeferring;

    private bool IsDeferring => _isDeferring;

    /// <summary>Begins an array whose length <see cref="End"/> tells.</summary>
    /// <remarks>Until the outermost of such aggregates ends its content is held back in pooled memory. When the length is
    /// known beforehand <see cref="Array"/> is cheaper.</remarks>
    public DeferredAggregate BeginArray() => Begin(RespType.Array);

    /// <summary>Begins a map whose number of pairs <see cref="End"/> tells.</summary>
    public DeferredAggregate BeginMap() => Begin(RespType.Map);

    /// <summary>Begins a set whose length <see cref="End"/> tells.</summary>
    public DeferredAggregate BeginSet() => Begin(RespType.Set);

    /// <summary>Begins a push message whose length <see cref="End"/> tells.</summary>
    public DeferredAggregate BeginPush() => Begin(RespType.Push);

    /// <summary>Ends an aggregate; inner ones must have ended before.</summary>
    /// <param name="aggregate">What the beginning returned.</param>
    /// <param name="count">Elements, or pairs for a map.</param>
    public void End(DeferredAggregate aggregate, long count)
    {
        Debug.Assert(_isDeferring && _deferred is not null, "The aggregate has ended already.");
        if (!_deferred.Close(aggregate.Index, count))
        {
            return;
        }

        _isDeferring = false;
        if (_suppressed)
        {
            _deferred.Clear();
            return;
        }

        _deferred.AddChunk(_buffer, _at);
        _buffer = [];
        _start = _at = _end = 0;
        _deferred.WriteTo(this);
    }

    /// <summary>Throws away the content of aggregates that are still open, after a handler failed inside one.</summary>
    public void AbandonDeferred()
    {
        if (!_isDeferring)
        {
            return;
        }

        _isDeferring = false;
        if (!_suppressed)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
            _start = _at = _end = 0;
        }

        _deferred!.Clear();
    }

    internal void AggregateHeader(byte type, long count)
    {
        switch (type)
        {
            case RespType.Map: Map(count); break;
            case RespType.Set: Set(count); break;
            case RespType.Push: Push(count); break;
            default: Array(count); break;
        }
    }

    private DeferredAggregate Begin(byte type)
    {
        _deferred ??= new DeferredBuffer();
        if (!_isDeferring)
        {
            Commit();
            _isDeferring = true;
            if (!_suppressed)
            {
                StartChunk(_deferred.RentChunk(0));
            }
        }

        return new DeferredAggregate(_deferred.Open(type, _suppressed ? 0 : _at));
    }

    private void RefillDeferred(int sizeBytes)
    {
        _deferred!.AddChunk(_buffer, _at);
        StartChunk(_deferred.RentChunk(sizeBytes));
    }

    private void StartChunk(byte[] chunk)
    {
        _buffer = chunk;
        _start = _at = 0;
        _end = chunk.Length;
        _bufferIsOwn = false;
    }
}
