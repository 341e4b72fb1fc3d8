using System.Net;
using System.Net.Sockets;

namespace KvServer.Server.Tests.Net;

/// <summary>Finds ports that nobody listens on.</summary>
internal static class FreePort
{
    public static int Next()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
