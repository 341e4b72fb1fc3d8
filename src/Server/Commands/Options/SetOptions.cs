using System.Text;
using KvServer.Resp;

namespace KvServer.Server.Commands.Options;

/// <summary>The options of SET: <c>[NX|XX] [GET] [EX n|PX n|EXAT n|PXAT n|KEEPTTL]</c> in any order.</summary>
internal readonly record struct SetOptions(SetCondition Condition, bool Get, ExpiryOption Expiry)
{
    /// <summary>Reads the options from argument <paramref name="first"/> on.</summary>
    /// <returns>False on a word that is unknown here or contradicts an earlier one: a syntax error.</returns>
    public static bool TryParse(Arguments args, int first, out SetOptions options)
    {
        SetCondition condition = SetCondition.Always;
        bool get = false;
        ExpiryOption expiry = default;
        options = default;
        for (int i = first; i < args.Count; i++)
        {
            ReadOnlySpan<byte> word = args[i];
            if (condition != SetCondition.IfPresent && Ascii.EqualsIgnoreCase(word, "NX"u8))
            {
                condition = SetCondition.IfMissing;
            }
            else if (condition != SetCondition.IfMissing && Ascii.EqualsIgnoreCase(word, "XX"u8))
            {
                condition = SetCondition.IfPresent;
            }
            else if (Ascii.EqualsIgnoreCase(word, "GET"u8))
            {
                get = true;
            }
            else if (expiry.Kind is ExpiryKind.None or ExpiryKind.KeepTtl
                && Ascii.EqualsIgnoreCase(word, "KEEPTTL"u8))
            {
                expiry = new ExpiryOption(ExpiryKind.KeepTtl);
            }
            else if (!ExpiryOption.TryParse(args, ref i, ref expiry))
            {
                return false;
            }
        }

        options = new SetOptions(condition, get, expiry);
        return true;
    }
}
