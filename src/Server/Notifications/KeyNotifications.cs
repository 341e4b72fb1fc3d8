using System.Buffers;
using System.Globalization;
using System.Text;
using KvServer.Server.Clients;
using KvServer.Server.Commands;
using KvServer.Server.Config;
using KvServer.Server.PubSub;
using KvServer.Storage;

namespace KvServer.Server.Notifications;

/// <summary>Keyspace notifications: publishes what happens to keys, as <c>notify-keyspace-events</c> asks for.</summary>
/// <remarks>
/// <para>Each event is published at the moment it happens, first on <c>__keyspace@N__:key</c> with its name as the
/// message, then on <c>__keyevent@N__:name</c> with the key. What commands do to keys is reported by
/// <see cref="CommandContext.KeyChanged"/>; what the store does by itself (expiry, new keys, keys that are missing) comes
/// from its hooks, which are taken away while nobody wants to know.</para>
/// <para>The client whose command runs gets its own messages after the reply, those of keys evicted for it before: see
/// <see cref="Client.DeferPushes"/>. Command loop only.</para>
/// </remarks>
internal sealed class KeyNotifications(ServerState server)
{
    private const int MaxStackBytes = 256;
    private const KeyspaceEvents Channels = KeyspaceEvents.Keyspace | KeyspaceEvents.Keyevent;

    private KeyspaceEvents _classes;
    private (byte[] Keyspace, byte[] Keyevent)[] _prefixes = [];

    /// <summary>Which events are published, and on which of the two kinds of channel.</summary>
    public KeyspaceEvents Classes
    {
        get => _classes;
        set
        {
            bool wasOn = IsOn;
            Keyspace keyspace = server.Keyspace;
            _classes = value;
            keyspace.Added = Wants(KeyspaceEvents.New) ? OnAdded : null;
            keyspace.Missed = Wants(KeyspaceEvents.KeyMiss) ? OnMissed : null;
            if (IsOn == wasOn)
            {
                return;
            }

            server.Listen(KeyListeners.Notifications, IsOn);
            if (!IsOn)
            {
                keyspace.Expired -= OnExpired;
                keyspace.Evicted -= OnEvicted;
                keyspace.FieldsExpired -= OnFieldsExpired;
                return;
            }

            keyspace.Expired += OnExpired;
            keyspace.Evicted += OnEvicted;
            keyspace.FieldsExpired += OnFieldsExpired;
            if (_prefixes.Length == 0)
            {
                _prefixes = [.. Enumerable.Range(0, keyspace.DatabaseCount).Select(PrefixesOf)];
            }
        }
    }

    /// <summary>Whether new keys are not published now: a command inserts one ahead of what it reports first.</summary>
    /// <remarks>It says so itself later: <see cref="CommandContext.KeyIsNew"/>.</remarks>
    public bool HoldsNew { get; set; }

    /// <summary>Whether any event is published.</summary>
    public bool IsOn => (_classes & Channels) != 0 && (_classes & ~Channels) != 0;

    private bool HasSubscribers =>
        (server.PubSub.CountOf(SubscriptionKind.Channel) | server.PubSub.CountOf(SubscriptionKind.Pattern)) > 0;

    /// <summary>Publishes an event, if it is of a class that is wanted and anybody subscribes to anything.</summary>
    /// <remarks>O(key + subscribers + patterns). Never fails: a message there is no memory for is lost, as any message
    /// to a client that is not there.</remarks>
    public void Notify(Database database, ReadOnlySpan<byte> key, KeyEvent keyEvent)
    {
        if ((_classes & keyEvent.Class()) == 0 || !HasSubscribers)
        {
            return;
        }

        Client? running = server.RunningClient;
        running?.DeferPushes(true);
        try
        {
            ReadOnlySpan<byte> name = keyEvent.Name();
            (byte[] keyspace, byte[] keyevent) = _prefixes[database.Index];
            if ((_classes & KeyspaceEvents.Keyspace) != 0)
            {
                Publish(keyspace, key, name);
            }

            if ((_classes & KeyspaceEvents.Keyevent) != 0)
            {
                Publish(keyevent, name, key);
            }
        }
        catch (OutOfMemoryException)
        {
            // The change itself has been made and must be gone through with; subscribers were promised nothing.
        }
        finally
        {
            running?.DeferPushes(false);
        }
    }

    private static (byte[] Keyspace, byte[] Keyevent) PrefixesOf(int index)
    {
        string number = index.ToString(CultureInfo.InvariantCulture);
        return (Encoding.ASCII.GetBytes($"__keyspace@{number}__:"), Encoding.ASCII.GetBytes($"__keyevent@{number}__:"));
    }

    private bool Wants(KeyspaceEvents events) => IsOn && (_classes & events) != 0;

    private void Publish(byte[] prefix, ReadOnlySpan<byte> rest, ReadOnlySpan<byte> message)
    {
        int length = prefix.Length + rest.Length; // Bulk strings end far enough below the limits of arrays.
        byte[]? rented = length <= MaxStackBytes ? null : ArrayPool<byte>.Shared.Rent(length);
        Span<byte> channel = rented ?? stackalloc byte[MaxStackBytes];
        try
        {
            prefix.CopyTo(channel);
            rest.CopyTo(channel[prefix.Length..]);
            server.PubSub.Publish(channel[..length], message);
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
    }

    private void OnExpired(Database database, ReadOnlySpan<byte> key) => Notify(database, key, KeyEvent.Expired);

    private void OnFieldsExpired(Database database, ReadOnlySpan<byte> key, bool isLast)
    {
        Notify(database, key, KeyEvent.HExpired);
        if (isLast)
        {
            Notify(database, key, KeyEvent.Del);
        }
    }

    private void OnAdded(Database database, ReadOnlySpan<byte> key)
    {
        if (!HoldsNew && !server.IsLoading) // What comes from a file was there before.
        {
            Notify(database, key, KeyEvent.New);
        }
    }

    private void OnEvicted(Database database, ReadOnlySpan<byte> key) => Notify(database, key, KeyEvent.Evicted);

    private void OnMissed(Database database, ReadOnlySpan<byte> key) => Notify(database, key, KeyEvent.KeyMiss);
}
