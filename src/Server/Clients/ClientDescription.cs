using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using KvServer.Server.Commands;
using KvServer.Server.PubSub;
using KvServer.Server.Tracking;

namespace KvServer.Server.Clients;

/// <summary>The line CLIENT LIST and CLIENT INFO show for a client, and the address it is known by.</summary>
internal static class ClientDescription
{
    /// <summary>Adds the line of one client, without a line end.</summary>
    /// <remarks><paramref name="current"/> is the command that runs for this client now, null for another client.
    /// Memory: buffers are shared between connections here, so only what waits in them counts.</remarks>
    public static void Append(StringBuilder line, Client client, Command? current, long nowMs)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        long input = client.Connection.PendingInputBytes;
        long output = client.Connection.PendingOutputBytes;
        string command = (current ?? client.LastCommand)?.DisplayName ?? "NULL";
        line.Append(culture, $"id={client.Id} addr={AddressOf(client)} laddr={LocalAddressOf(client)}");
        line.Append(culture, $" fd={client.Connection.FileDescriptor} name={Encoding.ASCII.GetString(client.Name)}");
        line.Append(culture, $" age={(nowMs - client.CreatedAtMs) / 1000} idle={(nowMs - client.LastActiveMs) / 1000}");
        line.Append(culture, $" flags={FlagsOf(client)} db={client.Database.Index}");
        line.Append(culture, $" sub={CountOf(SubscriptionKind.Channel)} psub={CountOf(SubscriptionKind.Pattern)}");
        line.Append(culture, $" ssub={CountOf(SubscriptionKind.Shard)} multi={client.Transaction?.Count ?? -1}");
        line.Append(culture, $" qbuf={input} qbuf-free=0 argv-mem=0 multi-mem={client.Transaction?.ArgumentBytes ?? 0} rbs=0 rbp=0");
        line.Append(culture, $" obl=0 oll={(output > 0 ? 1 : 0)} omem={output} ");
        line.Append(culture, $"tot-mem={input + output + client.TransactionBytes}");
        line.Append(culture, $" events={(output > 0 ? "rw" : "r")} cmd={command} user={client.User}");
        line.Append(culture, $" redir={client.Tracking?.RedirectId ?? -1} resp={client.Reply.Protocol}");
        line.Append(culture, $" lib-name={Encoding.ASCII.GetString(client.LibraryName)}");
        line.Append(culture, $" lib-ver={Encoding.ASCII.GetString(client.LibraryVersion)}");

        int CountOf(SubscriptionKind kind) => client.Subscriptions?.CountOf(kind) ?? 0;
    }

    /// <summary>Where it comes from: <c>ip:port</c>, or <c>path:0</c> over a Unix socket.</summary>
    public static string AddressOf(Client client) =>
        client.Connection.RemoteEndPoint is IPEndPoint remote ? TextOf(remote) : LocalAddressOf(client);

    /// <summary>Where it was accepted: <c>ip:port</c>, or <c>path:0</c>.</summary>
    public static string LocalAddressOf(Client client) => TextOf(client.Connection.LocalEndPoint);

    /// <summary>Which filter it falls under.</summary>
    public static ClientType TypeOf(Client client) =>
        client.Is(ClientFlags.Subscribed) ? ClientType.PubSub : ClientType.Normal;

    private static string TextOf(EndPoint? endPoint) => endPoint switch
    {
        IPEndPoint { Address.IsIPv4MappedToIPv6: true } mapped =>
            new IPEndPoint(mapped.Address.MapToIPv4(), mapped.Port).ToString(),
        IPEndPoint ip => ip.ToString(),
        UnixDomainSocketEndPoint unix => unix + ":0",
        _ => "?:0",
    };

    private static string FlagsOf(Client client)
    {
        StringBuilder flags = new();
        Add(ClientFlags.Subscribed, 'P');
        Add(ClientFlags.Multi, 'x');
        Add(ClientFlags.Suspended, 'b');
        Add(ClientFlags.Tracking, 't');
        AddIf(client.Tracking is { IsRedirectBroken: true }, 'R');
        AddIf(client.Tracking is { Mode: TrackingMode.Broadcast }, 'B');
        Add(ClientFlags.WatchBroken, 'd');
        Add(ClientFlags.CloseAfterReplies, 'c');
        Add(ClientFlags.Closing, 'A');
        Add(ClientFlags.UnixSocket, 'U');
        Add(ClientFlags.NoEvict, 'e');
        Add(ClientFlags.NoTouch, 'T');
        return flags.Length == 0 ? "N" : flags.ToString();

        void Add(ClientFlags flag, char sign) => AddIf(client.Is(flag), sign);

        void AddIf(bool applies, char sign)
        {
            if (applies)
            {
                flags.Append(sign);
            }
        }
    }
}
