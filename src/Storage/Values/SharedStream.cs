namespace KvServer.Storage;

/// <summary>A stream as it was at one moment, kept for as long as somebody reads it, whatever happens to the key.</summary>
/// <remarks>Making one is O(1) and copies nothing: from then on whoever changes a part of the stream copies that part first.
/// The reader owns it and frees it. Command loop only.</remarks>
public sealed unsafe class SharedStream
{
    private readonly Keyspace _keyspace;
    private StreamState* _state;

    /// <summary>Keeps what a stream is now.</summary>
    /// <exception cref="OutOfMemoryException">The system has no memory.</exception>
    public SharedStream(Keyspace keyspace, in StreamValue stream)
    {
        _keyspace = keyspace;
        StreamValue shared = stream.Share();
        _state = shared.Detach();
    }

    /// <summary>A handle to it, to read. Valid until <see cref="Free"/>.</summary>
    public StreamValue Open() => StreamValue.View(_keyspace, _state);

    /// <summary>Lets go of it. What the key has given up meanwhile is freed, in the background when that is much.</summary>
    public void Free()
    {
        if (_state != null)
        {
            StreamValue rest = Open();
            _state = null;
            rest.Dispose();
        }
    }
}
