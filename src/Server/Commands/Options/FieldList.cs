using System.Text;
using KvServer.Resp;

namespace KvServer.Server.Commands.Options;

/// <summary>The end of a command on named fields of a hash: <c>FIELDS numfields field...</c>.</summary>
/// <param name="First">Where the first field stands.</param>
/// <param name="Count">How many there are.</param>
internal readonly record struct FieldList(int First, int Count)
{
    /// <summary>Reads the list, which must stand at an argument and reach to the end.</summary>
    /// <param name="args">The call's arguments.</param>
    /// <param name="at">Where FIELDS has to stand.</param>
    /// <param name="badCount">The error when the number is none or not positive.</param>
    /// <param name="list">The list when the result is true.</param>
    /// <param name="error">The error reply when the result is false.</param>
    public static bool TryParse(
        Arguments args, int at, ReadOnlySpan<byte> badCount, out FieldList list, out ReadOnlySpan<byte> error)
    {
        list = default;
        error = "ERR Mandatory argument FIELDS is missing or not at the right position"u8;
        if (at + 1 >= args.Count || !Ascii.EqualsIgnoreCase(args[at], "FIELDS"u8))
        {
            return false;
        }

        if (!Numbers.TryParseInt64(args[at + 1], out long count) || count < 1)
        {
            error = badCount;
            return false;
        }

        list = new FieldList(at + 2, args.Count - at - 2);
        error = "ERR The `numfields` parameter must match the number of arguments"u8;
        return count == list.Count;
    }
}
