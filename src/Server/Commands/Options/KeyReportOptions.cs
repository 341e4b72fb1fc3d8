using System.Text;
using KvServer.Resp;
using ValueType = KvServer.Storage.ValueType;

namespace KvServer.Server.Commands.Options;

/// <summary>The options of HOTKEYS and BIGKEYS: <c>[COUNT n] [TYPE t]</c> in any order.</summary>
/// <param name="Count">How many keys are asked for, at least 1.</param>
/// <param name="Type">The only type asked for; null for any.</param>
internal readonly record struct KeyReportOptions(int Count, ValueType? Type)
{
    /// <summary>Reads the options from the first argument on.</summary>
    /// <param name="args">The call.</param>
    /// <param name="takesType">Whether TYPE is one of them.</param>
    /// <param name="options">The options when the result is true.</param>
    /// <param name="error">The error reply when it is not.</param>
    public static bool TryParse(
        Arguments args, bool takesType, out KeyReportOptions options, out ReadOnlySpan<byte> error)
    {
        options = new KeyReportOptions(Count: 10, Type: null);
        error = CommandError.Syntax;
        for (int i = 1; i < args.Count; i += 2)
        {
            if (i + 1 == args.Count)
            {
                return false;
            }

            if (Ascii.EqualsIgnoreCase(args[i], "COUNT"u8))
            {
                if (!Numbers.TryParseInt64(args[i + 1], out long count) || count < 1)
                {
                    error = "ERR count should be greater than 0"u8;
                    return false;
                }

                options = options with { Count = (int)Math.Min(count, int.MaxValue) };
            }
            else if (takesType && Ascii.EqualsIgnoreCase(args[i], "TYPE"u8))
            {
                if (!TryParseType(args[i + 1], out ValueType type))
                {
                    error = "ERR unknown type name"u8;
                    return false;
                }

                options = options with { Type = type };
            }
            else
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryParseType(ReadOnlySpan<byte> name, out ValueType type)
    {
        foreach (ValueType candidate in Enum.GetValues<ValueType>())
        {
            if (Ascii.EqualsIgnoreCase(name, KeyCommands.TypeName(candidate)))
            {
                type = candidate;
                return true;
            }
        }

        type = default;
        return false;
    }
}
