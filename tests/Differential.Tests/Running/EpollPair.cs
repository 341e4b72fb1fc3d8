namespace KvServer.Differential.Tests.Running;

/// <summary>The pair with our own event loop.</summary>
public sealed class EpollPair() : ServerPair("epoll");
