using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using KvServer.Server.Net.Pipes;
using KvServer.Server.PubSub;
using KvServer.Server.Tracking;

namespace KvServer.Server.Clients;

/// <summary>The line CLIENT LIST and CLIENT INFO show for a client, and the address it is known by.</summary>
internal static class ClientDescription
{
    /// <summary>Adds the line of one client, without a line end.</summary>
    /// <remarks>Memory: a connection has blocks of 16 KB only while something waits in them, and no buffers of its own; see
    /// DIFFERENCES.md, client-memory.</remarks>
    public static void Append(StringBuilder line, Client client, long nowMs)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        long arguments = client.Connection.PendingArgumentBytes;
        long input = client.Connection.PendingInputBytes - arguments + client.Connection.BatchBytes;
        long output = client.Connection.PendingOutputBytes;
        string command = client.LastCommand?.DisplayName ?? "NULL";
        line.Append(culture, $"id={client.Id} addr={client.Address} laddr={LocalAddressOf(client)}");
        line.Append(culture, $" fd={client.Connection.FileDescriptor} name={Encoding.ASCII.GetString(client.Name)}");
        line.Append(culture, $" age={(nowMs - client.CreatedAtMs) / 1000} idle={(nowMs - client.LastActiveMs) / 1000}");
        line.Append(culture, $" flags={FlagsOf(client)} db={client.Database.Index}");
        line.Append(culture, $" sub={CountOf(SubscriptionKind.Channel)} psub={CountOf(SubscriptionKind.Pattern)}");
        line.Append(culture, $" ssub={CountOf(SubscriptionKind.Shard)} multi={client.Transaction?.Count ?? -1}");
        line.Append(culture, $" qbuf={input} qbuf-free={FreeInBlocks(input)}");
        line.Append(culture, $" argv-mem={arguments} multi-mem={client.Transaction?.ArgumentBytes ?? 0} rbs=0 rbp=0");
        line.Append(culture, $" obl=0 oll={(output + FreeInBlocks(output)) / BlockPool.BlockBytes} omem={output}");
        line.Append(culture, $" tot-mem={ClientMemory.Of(client)}");
        line.Append(culture, $" events={(client.Connection.IsSendBlocked ? "rw" : "r")} cmd={command} user={client.User?.DisplayName ?? "(superuser)"}");
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

    private static long FreeInBlocks(long usedBytes) =>
        (BlockPool.BlockBytes - (usedBytes % BlockPool.BlockBytes)) % BlockPool.BlockBytes;

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
        Add(ClientFlags.Monitor, 'O');
        Add(ClientFlags.Subscribed, 'P');
        Add(ClientFlags.Multi, 'x');
        AddIf(client.Is(ClientFlags.Suspended) && client.LongReply is null, 'b');
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
