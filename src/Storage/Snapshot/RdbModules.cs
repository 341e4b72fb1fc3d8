namespace KvServer.Storage;

/// <summary>Data of modules: enough of their form to pass them by and to name whose they are.</summary>
internal static class RdbModules
{
    private const int NameLength = 9;
    private const int VersionBits = 10;
    private const int End = 0;
    private const int SignedInteger = 1;
    private const int UnsignedInteger = 2;
    private const int Float = 3;
    private const int Double = 4;
    private const int String = 5;

    private static ReadOnlySpan<byte> Letters => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"u8;

    /// <summary>The name in a module's number: nine letters of six bits each, above ten bits of version.</summary>
    public static string NameOf(ulong id)
    {
        Span<char> name = stackalloc char[NameLength];
        ulong rest = id >> VersionBits;
        for (int i = NameLength - 1; i >= 0; i--)
        {
            name[i] = (char)Letters[(int)(rest & 63)];
            rest >>= 6;
        }

        return new string(name);
    }

    /// <summary>Passes by the parts of a module's value up to its end mark.</summary>
    public static void SkipValue(RdbInput input)
    {
        while (true)
        {
            switch (input.ReadLength())
            {
                case End:
                    return;
                case SignedInteger or UnsignedInteger:
                    input.ReadUnsigned();
                    break;
                case Float:
                    input.Skip(sizeof(float));
                    break;
                case Double:
                    input.Skip(sizeof(double));
                    break;
                case String:
                    input.SkipString();
                    break;
                default:
                    input.Fail("A part of a module's value is of an unknown kind");
                    break;
            }
        }
    }
}
