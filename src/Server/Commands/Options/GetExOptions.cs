using System.Text;
using KvServer.Resp;

namespace KvServer.Server.Commands.Options;

/// <summary>The options of GETEX: <c>[EX n|PX n|EXAT n|PXAT n|PERSIST]</c>.</summary>
internal readonly record struct GetExOptions(ExpiryOption Expiry)
{
    /// <summary>Reads the options from argument <paramref name="first"/> on.</summary>
    /// <returns>False on a word that is unknown here or contradicts an earlier one: a syntax error.</returns>
    public static bool TryParse(Arguments args, int first, out GetExOptions options)
    {
        ExpiryOption expiry = default;
        options = default;
        for (int i = first; i < args.Count; i++)
        {
            if (expiry.Kind is ExpiryKind.None or ExpiryKind.Persist
                && Ascii.EqualsIgnoreCase(args[i], "PERSIST"u8))
            {
                expiry = new ExpiryOption(ExpiryKind.Persist);
            }
            else if (!ExpiryOption.TryParse(args, ref i, ref expiry))
            {
                return false;
            }
        }

        options = new GetExOptions(expiry);
        return true;
    }
}
