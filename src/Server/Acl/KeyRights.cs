namespace KvServer.Server.Acl;

/// <summary>What a key pattern allows to be done with the values of keys it matches.</summary>
[Flags]
internal enum KeyRights
{
    None = 0,
    Read = 1 << 0,
    Write = 1 << 1,
    All = Read | Write,
}
