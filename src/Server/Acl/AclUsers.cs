using System.Diagnostics.CodeAnalysis;

namespace KvServer.Server.Acl;

/// <summary>The users by name. There is always the default user, and it is always the same object.</summary>
internal sealed class AclUsers(AclUser defaultUser)
{
    private readonly SortedDictionary<byte[], AclUser> _byName = new(ByteOrder.Instance) { [defaultUser.Name] = defaultUser };

    public AclUser Default { get; } = defaultUser;

    /// <summary>All, in the order of their names' bytes.</summary>
    public IReadOnlyCollection<AclUser> All => _byName.Values;

    /// <summary>The user of a name. O(log users).</summary>
    public bool TryFind(ReadOnlySpan<byte> name, [NotNullWhen(true)] out AclUser? user) =>
        _byName.TryGetValue(name.ToArray(), out user);

    /// <summary>Adds a user. O(log users).</summary>
    /// <exception cref="ArgumentException">There is one of that name.</exception>
    public void Add(AclUser user) => _byName.Add(user.Name, user);

    /// <summary>Removes a user, if it is there; never the default one. O(log users).</summary>
    public void Remove(AclUser user) => _byName.Remove(user.Name);

    private sealed class ByteOrder : IComparer<byte[]>
    {
        public static readonly ByteOrder Instance = new();

        public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
    }
}
