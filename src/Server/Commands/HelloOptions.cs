using KvServer.Resp;
using KvServer.Server.Clients;

namespace KvServer.Server.Commands;

/// <summary>The arguments of HELLO, checked before anything is changed. Arguments are named by their index, 0 for none.</summary>
internal struct HelloOptions
{
    /// <summary>2 or 3; 0 keeps the protocol in use.</summary>
    public int Protocol;

    public int UserAt;

    public int NameAt;

    /// <summary>Reads the arguments.</summary>
    /// <returns>False with <paramref name="error"/> set when they are malformed.</returns>
    public static bool TryParse(Arguments args, out HelloOptions options, out ReadOnlySpan<byte> error)
    {
        options = default;
        error = default;
        if (args.Count == 1)
        {
            return true;
        }

        if (!Numbers.TryParseInt64(args[1], out long protocol))
        {
            error = "ERR Protocol version is not an integer or out of range"u8;
            return false;
        }

        if (protocol is not (2 or 3))
        {
            error = CommandError.NoProto;
            return false;
        }

        options.Protocol = (int)protocol;
        for (int i = 2; i < args.Count; i++)
        {
            int left = args.Count - 1 - i;
            if (left >= 2 && System.Text.Ascii.EqualsIgnoreCase(args[i], "AUTH"u8))
            {
                options.UserAt = i + 1;
                i += 2;
            }
            else if (left >= 1 && System.Text.Ascii.EqualsIgnoreCase(args[i], "SETNAME"u8))
            {
                if (!ClientAttribute.IsValid(args[i + 1]))
                {
                    error = ClientAttribute.InvalidName;
                    return false;
                }

                options.NameAt = ++i;
            }
            else
            {
                error = CommandError.Format("ERR Syntax error in HELLO option '", args[i], "'");
                return false;
            }
        }

        return true;
    }
}
