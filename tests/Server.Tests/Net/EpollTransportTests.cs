using KvServer.Server.Config;

namespace KvServer.Server.Tests.Net;

public sealed class EpollTransportTests : TransportTests
{
    private protected override EventLoopKind Kind => EventLoopKind.Epoll;
}
