using KvServer.Resp;
using KvServer.Server.Clients;
using Ascii = System.Text.Ascii;

namespace KvServer.Server.Commands.Options;

/// <summary>What follows CLIENT TRACKING ON or OFF.</summary>
internal sealed class TrackingOptions
{
    private const int FirstOption = 3;

    /// <summary>BCAST.</summary>
    public bool IsBroadcast { get; private set; }

    /// <summary>OPTIN.</summary>
    public bool OptsIn { get; private set; }

    /// <summary>OPTOUT.</summary>
    public bool OptsOut { get; private set; }

    /// <summary>NOLOOP.</summary>
    public bool SparesOwn { get; private set; }

    /// <summary>REDIRECT's client; 0 without it.</summary>
    public long RedirectId { get; private set; }

    /// <summary>Those of PREFIX, in their order.</summary>
    public List<byte[]> Prefixes { get; } = [];

    /// <summary>Reads the options.</summary>
    /// <param name="args">The request.</param>
    /// <param name="clients">Who may be redirected to.</param>
    /// <param name="options">What was asked for.</param>
    /// <param name="error">The error reply when the result is false.</param>
    public static bool TryParse(Arguments args, ClientRegistry clients, out TrackingOptions options, out byte[] error)
    {
        options = new TrackingOptions();
        error = [];
        for (int i = FirstOption; i < args.Count; i++)
        {
            ReadOnlySpan<byte> word = args[i];
            bool hasValue = i + 1 < args.Count;
            if (hasValue && Ascii.EqualsIgnoreCase(word, "redirect"u8))
            {
                if (!options.TryReadRedirect(args[++i], clients, out error))
                {
                    return false;
                }
            }
            else if (Ascii.EqualsIgnoreCase(word, "bcast"u8))
            {
                options.IsBroadcast = true;
            }
            else if (Ascii.EqualsIgnoreCase(word, "optin"u8))
            {
                options.OptsIn = true;
            }
            else if (Ascii.EqualsIgnoreCase(word, "optout"u8))
            {
                options.OptsOut = true;
            }
            else if (Ascii.EqualsIgnoreCase(word, "noloop"u8))
            {
                options.SparesOwn = true;
            }
            else if (hasValue && Ascii.EqualsIgnoreCase(word, "prefix"u8))
            {
                options.Prefixes.Add(args[++i].ToArray());
            }
            else
            {
                error = CommandError.Syntax.ToArray();
                return false;
            }
        }

        return true;
    }

    private bool TryReadRedirect(ReadOnlySpan<byte> text, ClientRegistry clients, out byte[] error)
    {
        if (RedirectId != 0)
        {
            error = "ERR A client can only redirect to a single other client"u8.ToArray();
            return false;
        }

        if (!Numbers.TryParseInt64(text, out long id))
        {
            error = CommandError.NotAnInteger.ToArray();
            return false;
        }

        if (clients.Find(id) is null)
        {
            error = "ERR The client ID you want redirect to does not exist"u8.ToArray();
            return false;
        }

        RedirectId = id;
        error = [];
        return true;
    }
}
