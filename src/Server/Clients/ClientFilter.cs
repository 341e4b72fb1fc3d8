using System.Text;
using KvServer.Resp;
using KvServer.Server.Acl;
using KvServer.Server.Commands;

namespace KvServer.Server.Clients;

/// <summary>What CLIENT KILL looks for: a client must match all that is given.</summary>
internal sealed class ClientFilter
{
    private long _id;
    private string? _address;
    private string? _localAddress;
    private AclUser? _user;
    private ClientType? _type;
    private long _minAgeSeconds;

    /// <summary>Spare the client that asks. True unless SKIPME NO says otherwise.</summary>
    public bool SparesCaller { get; private set; } = true;

    /// <summary>The filter of the old form: one address, and the caller is not spared.</summary>
    public static ClientFilter ForAddress(ReadOnlySpan<byte> address) =>
        new() { _address = Encoding.UTF8.GetString(address), SparesCaller = false };

    /// <summary>Reads pairs of option and value from <paramref name="first"/> on.</summary>
    /// <returns>False with <paramref name="error"/> set when they are malformed.</returns>
    public static bool TryParse(Arguments args, int first, AccessControl acl, out ClientFilter filter, out byte[] error)
    {
        filter = new ClientFilter();
        error = [];
        for (int i = first; i < args.Count; i += 2)
        {
            if (i + 1 >= args.Count)
            {
                error = CommandError.Syntax.ToArray();
                return false;
            }

            error = filter.Read(args[i], args[i + 1], acl);
            if (error.Length > 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Reads the name of a type; <c>slave</c> is the old word for a replica.</summary>
    public static bool TryParseType(ReadOnlySpan<byte> word, out ClientType type)
    {
        type = ClientType.Normal;
        if (Ascii.EqualsIgnoreCase(word, "replica"u8) || Ascii.EqualsIgnoreCase(word, "slave"u8))
        {
            type = ClientType.Replica;
        }
        else if (Ascii.EqualsIgnoreCase(word, "pubsub"u8))
        {
            type = ClientType.PubSub;
        }
        else if (Ascii.EqualsIgnoreCase(word, "master"u8))
        {
            type = ClientType.Master;
        }
        else
        {
            return Ascii.EqualsIgnoreCase(word, "normal"u8);
        }

        return true;
    }

    /// <summary>The refusal of an unknown type.</summary>
    public static byte[] UnknownType(ReadOnlySpan<byte> word) =>
        CommandError.Format("ERR Unknown client type '", word, "'");

    /// <summary>Whether a client is meant.</summary>
    public bool Matches(Client client, Client caller, long nowMs) =>
        (_id == 0 || client.Id == _id)
        && (_address is null || string.Equals(ClientDescription.AddressOf(client), _address, StringComparison.Ordinal))
        && (_localAddress is null
            || string.Equals(ClientDescription.LocalAddressOf(client), _localAddress, StringComparison.Ordinal))
        && (_user is null || client.User == _user)
        && (_type is null || ClientDescription.TypeOf(client) == _type)
        && (_minAgeSeconds == 0 || (nowMs - client.CreatedAtMs) / 1000 >= _minAgeSeconds)
        && !(SparesCaller && client == caller);

    /// <returns>What is wrong with the pair, or nothing.</returns>
    private byte[] Read(ReadOnlySpan<byte> option, ReadOnlySpan<byte> value, AccessControl acl)
    {
        if (Ascii.EqualsIgnoreCase(option, "id"u8))
        {
            return Numbers.TryParseInt64(value, out _id) && _id > 0
                ? [] : "ERR client-id should be greater than 0"u8.ToArray();
        }

        if (Ascii.EqualsIgnoreCase(option, "type"u8))
        {
            bool known = TryParseType(value, out ClientType type);
            _type = type;
            return known ? [] : UnknownType(value);
        }

        if (Ascii.EqualsIgnoreCase(option, "addr"u8))
        {
            _address = Encoding.UTF8.GetString(value);
            return [];
        }

        if (Ascii.EqualsIgnoreCase(option, "laddr"u8))
        {
            _localAddress = Encoding.UTF8.GetString(value);
            return [];
        }

        if (Ascii.EqualsIgnoreCase(option, "user"u8))
        {
            _user = acl.Find(value);
            return _user is not null ? [] : CommandError.Format("ERR No such user '", value, "'");
        }

        if (Ascii.EqualsIgnoreCase(option, "maxage"u8))
        {
            return !Numbers.TryParseInt64(value, out _minAgeSeconds)
                ? "ERR maxage is not an integer or out of range"u8.ToArray()
                : _minAgeSeconds > 0 ? [] : "ERR maxage should be greater than 0"u8.ToArray();
        }

        SparesCaller = Ascii.EqualsIgnoreCase(value, "yes"u8);
        bool isSkipMe = Ascii.EqualsIgnoreCase(option, "skipme"u8)
            && (SparesCaller || Ascii.EqualsIgnoreCase(value, "no"u8));
        return isSkipMe ? [] : CommandError.Syntax.ToArray();
    }
}
