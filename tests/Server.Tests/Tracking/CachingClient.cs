using System.Globalization;
using System.Text;

namespace KvServer.Server.Tests.Tracking;

/// <summary>A client that keeps the replies to what it reads, and forgets them when it is told to.</summary>
internal sealed class CachingClient
{
    private readonly TestClient _client;
    private readonly TestClient _told;
    private readonly string _mode;
    private readonly bool _sparesOwn;
    private readonly string _prefix;
    private readonly Dictionary<(string Key, string Command), string> _cache = [];

    /// <summary>Switches tracking on.</summary>
    /// <param name="client">Who reads and writes.</param>
    /// <param name="told">Who is told; the same one, or one to redirect to.</param>
    /// <param name="mode">READS, OPTIN, OPTOUT or BCAST.</param>
    /// <param name="sparesOwn">NOLOOP.</param>
    /// <param name="prefix">With BCAST: what the keys it keeps begin with.</param>
    public CachingClient(TestClient client, TestClient told, string mode, bool sparesOwn, string prefix = "")
    {
        _client = client;
        _told = told;
        _mode = mode;
        _sparesOwn = sparesOwn;
        _prefix = prefix;
        List<string> request = ["CLIENT", "TRACKING", "ON"];
        if (mode != "READS")
        {
            request.Add(mode);
        }

        if (prefix.Length > 0)
        {
            request.AddRange(["PREFIX", prefix]);
        }

        if (sparesOwn)
        {
            request.Add("NOLOOP");
        }

        if (told != client)
        {
            request.AddRange(["REDIRECT", told.Session.Id.ToString(CultureInfo.InvariantCulture)]);
        }

        Assert.Equal("+OK\r\n", client.Raw([.. request]));
    }

    /// <summary>What it would answer from its cache: key, command and reply.</summary>
    public IReadOnlyDictionary<(string Key, string Command), string> Cache => _cache;

    /// <summary>Reads a key, from the cache when it is there.</summary>
    public void Read(string key, string command, bool makesException)
    {
        if (_cache.ContainsKey((key, command)))
        {
            return;
        }

        bool keeps = _mode switch
        {
            "OPTIN" => makesException,
            "OPTOUT" => !makesException,
            "BCAST" => key.StartsWith(_prefix, StringComparison.Ordinal),
            _ => true,
        };
        if (makesException && _mode is "OPTIN" or "OPTOUT" && makesException)
        {
            Take(_client.Raw("CLIENT", "CACHING", _mode == "OPTIN" ? "YES" : "NO"), kept: null);
        }

        Take(_client.Raw(command.Replace("KEY", key, StringComparison.Ordinal).Split(' ')), keeps ? (key, command) : null);
    }

    /// <summary>Runs something else. With NOLOOP it forgets by itself what it changes.</summary>
    public void Write(string[] request, IEnumerable<string> changedKeys)
    {
        if (_sparesOwn)
        {
            foreach (string key in changedKeys)
            {
                Forget(key);
            }
        }

        Take(_client.Raw(request), kept: null);
    }

    /// <summary>Follows what it has been told since.</summary>
    public void Listen()
    {
        Take(_client.TakeOutput(), kept: null);
        if (_told != _client)
        {
            Take(_told.TakeOutput(), kept: null);
        }
    }

    // Takes replies and messages in the order they came in.
    private void Take(string output, (string Key, string Command)? kept)
    {
        ReplyDecoder decoder = new(Encoding.Latin1.GetBytes(output));
        while (!decoder.AtEnd)
        {
            bool isPush = decoder.IsAtPush;
            object? value = decoder.Next();
            if (isPush || value is object?[] and ["message", "__redis__:invalidate", ..])
            {
                Follow(((object?[])value!)[^1]);
            }
            else if (kept is { } place)
            {
                _cache[place] = Describe(value);
                kept = null;
            }
        }
    }

    /// <summary>A reply as text.</summary>
    public static string Describe(object? value) =>
        value is object?[] items ? $"[{string.Join(' ', items.Select(Describe))}]" : value?.ToString() ?? "null";

    private void Follow(object? keys)
    {
        if (keys is not object?[] named)
        {
            _cache.Clear();
            return;
        }

        foreach (object? key in named)
        {
            Forget((string)key!);
        }
    }

    private void Forget(string key)
    {
        foreach ((string Key, string Command) place in _cache.Keys.Where(place => place.Key == key).ToArray())
        {
            _cache.Remove(place);
        }
    }
}
