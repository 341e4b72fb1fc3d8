using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>The fields of an entry to be added, as they stand in the arguments.</summary>
internal readonly ref struct StreamFields(Arguments pairs) : IStreamFields
{
    private readonly Arguments _pairs = pairs;

    /// <inheritdoc/>
    public int Count => _pairs.Count / 2;

    /// <inheritdoc/>
    public ReadOnlySpan<byte> NameAt(int index) => _pairs[index * 2];

    /// <inheritdoc/>
    public ReadOnlySpan<byte> ValueAt(int index) => _pairs[(index * 2) + 1];
}
