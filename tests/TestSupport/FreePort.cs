using System.Net;
using System.Net.Sockets;

namespace KvServer.TestSupport;

/// <summary>Finds TCP ports nobody listens on.</summary>
public static class FreePort
{
    // Below the range from which systems take ports for outgoing connections: those come and go all the time.
    private const int Lowest = 22_000;
    private const int Highest = 32_000;

    private static readonly Lock Gate = new();
    private static readonly HashSet<int> Given = [];

    /// <summary>Returns a loopback port that was free a moment ago and that this process has not given out before.</summary>
    /// <remarks>Another process may take it meanwhile; <see cref="ServerProcess"/> then starts again on another one.</remarks>
    public static int Next()
    {
        lock (Gate)
        {
            while (true)
            {
                int port = Random.Shared.Next(Lowest, Highest);
                if (CanListen(port) && Given.Add(port))
                {
                    return port;
                }
            }
        }
    }

    private static bool CanListen(int port)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Any, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
