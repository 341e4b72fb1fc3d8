using System.Net;
using System.Net.Sockets;
using KvServer.Server.Config;
using KvServer.Server.Hosting;
using Microsoft.Extensions.Logging;

namespace KvServer.Server.Net;

/// <summary>The listening sockets that the configuration asks for.</summary>
/// <remarks>Opened at start-up; changed afterwards inside the command loop only, by CONFIG SET.</remarks>
internal sealed class Listeners(ServerConfig config, ILogger logger) : IDisposable
{
    private List<Listener> _open = [];

    /// <summary>Those that are open. Each change makes a new list, so that any thread may walk the one it got.</summary>
    internal IReadOnlyList<Listener> All => Volatile.Read(ref _open);

    /// <summary>Opens all of them, or none.</summary>
    /// <exception cref="StartupException">One that was not optional cannot be opened.</exception>
    internal void Open()
    {
        List<Listener> opened = [];
        try
        {
            OpenPorts(opened);
            if (config.UnixSocket.Length > 0)
            {
                opened.Add(OpenUnix());
            }
        }
        catch
        {
            opened.ForEach(static listener => listener.Dispose());
            throw;
        }

        _open = opened;
    }

    /// <summary>Listens on the addresses and the port that are configured now, and on the former ones no more.</summary>
    /// <returns>False when that is not possible; then the TCP listeners that were not wanted any more are closed and
    /// another call with the former configuration brings them back.</returns>
    /// <remarks>What stays is not interrupted. Connections stay whatever happens.</remarks>
    internal bool TryReopen()
    {
        List<Listener> kept = [];
        foreach (Listener listener in _open)
        {
            if (IsWanted(listener))
            {
                kept.Add(listener);
            }
            else
            {
                listener.Dispose(); // First, since 127.0.0.1 and * cannot share a port.
            }
        }

        try
        {
            OpenPorts(kept);
            return true;
        }
        catch (StartupException)
        {
            return false;
        }
        finally
        {
            Volatile.Write(ref _open, kept);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Listener listener in _open)
        {
            listener.Dispose();
        }

        _open = [];
    }

    private static IPAddress Resolve(string address) => address switch
    {
        "*" => IPAddress.Any,
        "::*" => IPAddress.IPv6Any,
        _ when IPAddress.TryParse(address, out IPAddress? parsed) => parsed,
        _ => Dns.GetHostAddresses(address) is [IPAddress first, ..]
            ? first
            : throw new SocketException((int)SocketError.HostNotFound),
    };

    // A machine without IPv6 can still serve IPv4, so this is no reason to stop.
    private static bool IsUnsupported(SocketException fault) => fault.SocketErrorCode is
        SocketError.ProtocolOption or SocketError.ProtocolNotSupported or SocketError.SocketNotSupported
        or SocketError.ProtocolFamilyNotSupported or SocketError.AddressFamilyNotSupported;

    private static string WithoutMark(string bind) => bind.StartsWith('-') ? bind[1..] : bind;

    private bool IsWanted(Listener listener) =>
        listener.Bind is null
        || ((listener.IsTls ? config.TlsPort : config.Port) == listener.Port
            && config.Bind.Any(bind => string.Equals(WithoutMark(bind), listener.Bind, StringComparison.OrdinalIgnoreCase)));

    // Adds what is not in the list yet.
    private void OpenPorts(List<Listener> opened)
    {
        OpenTcp(opened, config.Port, isTls: false);
        OpenTcp(opened, config.TlsPort, isTls: true);
    }

    private void OpenTcp(List<Listener> opened, int port, bool isTls)
    {
        if (port == 0)
        {
            return;
        }

        string kind = isTls ? "tls" : "tcp";

        foreach (string bind in config.Bind)
        {
            string address = WithoutMark(bind);
            if (opened.Exists(listener => listener.IsTls == isTls
                && string.Equals(listener.Bind, address, StringComparison.OrdinalIgnoreCase)))
            {
                continue;
            }

            try
            {
                opened.Add(OpenTcp(address, port, isTls));
            }
            catch (SocketException fault)
            {
                Log.ListenFailed(logger, address, port, fault.Message);
                bool optional = bind.Length > address.Length;
                if (!(optional && fault.SocketErrorCode == SocketError.AddressNotAvailable) && !IsUnsupported(fault))
                {
                    throw StartupException.ListeningFailed(port, kind, fault);
                }
            }
        }

        if (!opened.Exists(listener => listener.Bind is not null && listener.IsTls == isTls))
        {
            throw StartupException.ListeningFailed(port, kind);
        }
    }

    private Listener OpenTcp(string bind, int port, bool isTls)
    {
        IPAddress address = Resolve(bind);
        Socket socket = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.AddressFamily == AddressFamily.InterNetworkV6)
            {
                socket.DualMode = false; // IPv4 has its own listener, if it is wanted.
            }

            socket.Bind(new IPEndPoint(address, port));
            socket.Listen(config.TcpBacklog);
            socket.Blocking = false;
            return new Listener(socket, bind, port, isTls);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private Listener OpenUnix()
    {
        string path = config.UnixSocket;
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            // What a server that was killed left behind. One that still runs keeps the clients it has.
            File.Delete(path);
            socket.Bind(new UnixDomainSocketEndPoint(path));
            if (config.UnixSocketPerm != 0 && !OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(path, (UnixFileMode)config.UnixSocketPerm); // Before anyone can be accepted.
            }

            socket.Listen(config.TcpBacklog);
            socket.Blocking = false;
            return new Listener(socket, null, 0);
        }
        catch (Exception fault) when (fault is SocketException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            socket.Dispose();
            throw new StartupException($"Failed opening Unix socket: bind: {fault.Message}", fault);
        }
    }
}
