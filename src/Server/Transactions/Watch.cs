using KvServer.Server.Clients;
using KvServer.Server.PubSub;
using KvServer.Storage;

namespace KvServer.Server.Transactions;

/// <summary>A key that a client watches. Two of one client are equal when they are about the same key.</summary>
internal sealed class Watch(Client client, Database database, byte[] key) : IEquatable<Watch>
{
    private const int BookkeepingBytes = 200;

    /// <summary>Who watches.</summary>
    public Client Client { get; } = client;

    /// <summary>Where the key is, whatever data SWAPDB puts there.</summary>
    public Database Database { get; } = database;

    /// <summary>Its name.</summary>
    public byte[] Key { get; } = key;

    /// <summary>Whether its time had come when it was last seen, so that its removal changes nothing.</summary>
    public bool WasOver { get; set; }

    /// <summary>Its place among those who watch the key.</summary>
    public LinkedListNode<Watch>? Place { get; set; }

    /// <summary>Bytes it takes, roughly.</summary>
    public long MemoryBytes => Key.Length + BookkeepingBytes;

    /// <inheritdoc/>
    public bool Equals(Watch? other) =>
        other is not null && Database == other.Database && Key.AsSpan().SequenceEqual(other.Key);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Watch);

    /// <inheritdoc/>
    public override int GetHashCode() => ByteStringComparer.Instance.GetHashCode(Key);
}
