namespace KvServer.Server.Clients;

/// <summary>The kinds of client that CLIENT LIST and CLIENT KILL filter by.</summary>
internal enum ClientType : byte
{
    Normal,
    Replica,
    PubSub,
    Master,
}
