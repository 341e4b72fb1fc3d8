using KvServer.Server.Config;

namespace KvServer.Server.Tests.Net;

public sealed class SocketsTransportTests : TransportTests
{
    private protected override EventLoopKind Kind => EventLoopKind.Sockets;
}
