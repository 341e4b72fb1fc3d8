using KvServer.Server.Config;

namespace KvServer.Server.Net;

/// <summary>Chooses the transport.</summary>
internal static class Transports
{
    /// <summary>Our event loop on Linux unless <c>event-loop sockets</c> asks otherwise; the framework's sockets
    /// elsewhere.</summary>
    internal static ITransport Create(NetServices services) =>
        OperatingSystem.IsLinux() && services.Config.EventLoop == EventLoopKind.Epoll
            ? new EventLoopTransport(services)
            : new SocketsTransport(services);
}
