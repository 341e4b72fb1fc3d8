namespace KvServer.Differential.Tests.Running;

/// <summary>The pair with the socket transport that also serves other systems than Linux.</summary>
public sealed class SocketsPair() : ServerPair("sockets");
