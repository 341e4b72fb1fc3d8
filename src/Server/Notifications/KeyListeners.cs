namespace KvServer.Server.Notifications;

/// <summary>Who wants to know of every change of a key. None for most servers, so that one test lets a change pass.</summary>
[Flags]
internal enum KeyListeners
{
    None = 0,

    /// <summary>Keyspace notifications are on.</summary>
    Notifications = 1,

    /// <summary>Clients have cached keys, or are told of changes under a prefix.</summary>
    Tracking = 2,
}
