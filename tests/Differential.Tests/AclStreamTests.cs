using System.Text;
using KvServer.Differential.Tests.Running;
using KvServer.Differential.Tests.Streams;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests;

/// <summary>Gives users random rules on both servers and has them call random commands: the same rules are accepted, they read
/// the same, and a call is allowed on one exactly when it is on the other, tried dry and for real.</summary>
/// <remarks>A failing seed goes into <see cref="Seeds"/> and stays there.</remarks>
public sealed class AclStreamTests(EpollPair pair) : IClassFixture<EpollPair>
{
    private const int UserCount = 250;
    private const int CallsEach = 12;

    private static readonly string[] Patterns = ["*", "k*", "s*", "k?", "[hl]*", "z1", "x*", ""];
    private static readonly string[] Channels = ["c", "c1", "d", "c*"];

    private static readonly string[] Words =
    [
        "on", "off", "nopass", "resetpass", ">pw", "<pw", "allkeys", "resetkeys", "allchannels", "resetchannels", "allcommands",
        "nocommands", "clearselectors", "reset", "sanitize-payload", "skip-sanitize-payload", "nonsense", "+", "-", "~", "%", "&",
        "+@", "()", "(", ")", "+get|", "#12", "+@nosuch", "+nosuch", "%X~a", "+config|nosuch", "-get|x",
    ];

    // What it takes to try calls without running them.
    private static readonly string[] Always = ["+multi", "+discard"];

    public static TheoryData<int> Seeds => [1, 2, 3, Random.Shared.Next()];

    [Theory]
    [MemberData(nameof(Seeds), DisableDiscoveryEnumeration = true)]
    public async Task Both_servers_allow_the_same(int seed)
    {
        ServerPair.RequireReference();
        await pair.ResetAsync();
        using Side ours = new(pair.Ours);
        using Side reference = new(pair.Reference);
        Random random = new(seed);
        CommandStream stream = new(seed);
        string[] names = Shared(ours, reference, "COMMAND", "LIST");
        string[] categories = reference.Admin.Execute("ACL", "CAT").AsStrings;
        HashSet<string> ownNames = [.. ours.Admin.Execute("COMMAND", "LIST").AsStrings];
        ownNames.ExceptWith(reference.Admin.Execute("COMMAND", "LIST").AsStrings);
        for (int i = 0; i < UserCount; i++)
        {
            string[] rules = [.. Enumerable.Range(0, random.Next(1, 7)).Select(_ => NextRule(random, names, categories, nested: false)), .. Always];
            Same(ours, reference, seed, rules, side => side.Admin.Execute(["ACL", "SETUSER", "u", .. rules]).ToString());
            Same(ours, reference, seed, rules, side => Sorted(side.Admin.Execute("ACL", "GETUSER", "u"), ownNames));
            for (int call = 0; call < CallsEach; call++)
            {
                byte[][] line = random.Next(6) == 0
                    ? [.. NextChannelCall(random).Select(Encoding.ASCII.GetBytes)]
                    : [.. stream.Next().Arguments];
                if (IsAboutNoKeys(line))
                {
                    continue;
                }

                byte[][] dry = [.. new[] { "ACL", "DRYRUN", "u" }.Select(Encoding.ASCII.GetBytes), .. line];
                Same(ours, reference, seed, [CommandLine.Join(line)], side => Run(side.Admin, dry));
                Same(ours, reference, seed, [CommandLine.Join(line)], side => IsAllowed(side, line).ToString());
            }
        }

        Same(ours, reference, seed, [], side => Masked(side.Admin.Execute("ACL", "LOG", "50")));
        ours.Admin.Execute("ACL", "DELUSER", "u");
        reference.Admin.Execute("ACL", "DELUSER", "u");
    }

    private static string[] Shared(Side ours, Side reference, params string[] command) =>
        [.. reference.Admin.Execute(command).AsStrings.Intersect(ours.Admin.Execute(command).AsStrings).Order(StringComparer.Ordinal)];

    private static string NextRule(Random random, string[] names, string[] categories, bool nested) => random.Next(14) switch
    {
        0 or 1 or 2 => (random.Next(2) == 0 ? "+@" : "-@") + (random.Next(8) == 0 ? "all" : Pick(random, categories)),
        3 or 4 => (random.Next(2) == 0 ? "+" : "-") + Pick(random, names),
        5 or 6 => "~" + Pick(random, Patterns),
        7 => "%" + Pick(random, ["R", "W", "RW", "wr"]) + "~" + Pick(random, Patterns),
        8 => "&" + Pick(random, Channels),
        9 => Pick(random, ["+get|k1", "+select|0", "+set|s1", "+ping|x"]),
        10 when !nested =>
            "(" + string.Join(' ', Enumerable.Range(0, random.Next(5)).Select(_ => NextRule(random, names, categories, nested: true))) + ")",
        11 => Pick(random, Words),
        _ => Pick(random, ["+@all", "+@read", "+@write", "+@fast", "~k*", "~s*", "+@pubsub"]),
    };

    private static string[] NextChannelCall(Random random) => random.Next(5) switch
    {
        0 => ["PUBLISH", Pick(random, Channels), "x"],
        1 => ["SPUBLISH", Pick(random, Channels), "x"],
        2 => ["SUBSCRIBE", Pick(random, Channels), Pick(random, Channels)],
        3 => ["PSUBSCRIBE", Pick(random, Channels), Pick(random, Channels)],
        _ => ["SSUBSCRIBE", Pick(random, Channels)],
    };

    private static T Pick<T>(Random random, T[] items) => items[random.Next(items.Length)];

    private static void Same(Side ours, Side reference, int seed, string[] what, Func<Side, string> ask)
    {
        string expected = ask(reference);
        string actual = ask(ours);
        if (expected != actual)
        {
            string user = reference.Admin.Execute("ACL", "GETUSER", "u").ToString();
            Assert.Fail($"Seed {seed}, {string.Join(' ', what)}\nours: {actual}\nreference: {expected}\nthe user there: {user}");
        }
    }

    private static string Run(RespClient client, byte[][] line)
    {
        client.Send(line);
        return client.ReadReply().ToString();
    }

    // There PFMERGE without a source, and a union of no keys, are not checked at all; see DIFFERENCES.md, acl.
    private static bool IsAboutNoKeys(byte[][] line) => Encoding.ASCII.GetString(line[0]).ToUpperInvariant() switch
    {
        "PFMERGE" => line.Length == 2,
        "ZUNIONSTORE" or "ZINTERSTORE" or "ZDIFFSTORE" => !(line.Length > 3 && line[2].AsSpan() is [>= (byte)'1' and <= (byte)'9', ..]),
        _ => false,
    };

    // In a transaction nothing runs, and nobody is subscribed to anything afterwards.
    private static bool IsAllowed(Side side, byte[][] line)
    {
        side.User.Execute("MULTI");
        side.User.Send(line);
        RespValue reply = side.User.ReadReply();
        side.User.Execute("DISCARD");
        return !reply.AsString.StartsWith("NOPERM", StringComparison.Ordinal);
    }

    // The order of single commands is that of a hash table there; commands that only we have come in addition.
    private static string Sorted(RespValue user, HashSet<string> ownNames)
    {
        IEnumerable<string> texts = user.Items.Select(item => item.IsAggregate
            ? "[" + Sorted(item, ownNames) + "]"
            : item.AsString.Contains("@all", StringComparison.Ordinal) ? SortedRules(item.AsString, ownNames) : item.AsString);
        return string.Join(';', texts);
    }

    private static string SortedRules(string rules, HashSet<string> ownNames)
    {
        string[] words = [.. rules.Split(' ').Where(word => !ownNames.Contains(word[1..]))];
        return string.Join(' ', words.TakeWhile(word => word[1] == '@').Concat(words.SkipWhile(word => word[1] == '@').Order(StringComparer.Ordinal)));
    }

    private static string Masked(RespValue log) => string.Join('\n', log.Items.Select(entry => string.Join(
        ' ', new[] { "count", "reason", "context", "object", "username" }.Select(field => entry[field]!.AsString))));

    /// <summary>One server with its administrator and the client of a user with rules.</summary>
    private sealed class Side : IDisposable
    {
        public Side(ServerProcess server)
        {
            Admin = server.Connect();
            User = server.Connect();
            Admin.Execute("ACL", "DELUSER", "u");
            Admin.Execute("ACL", "LOG", "RESET");
            Admin.Execute("ACL", "SETUSER", "u", "on", "nopass", "+multi", "+discard");
            Assert.Equal("OK", User.Execute("AUTH", "u", "x").AsString);
        }

        public RespClient Admin { get; }

        public RespClient User { get; }

        public void Dispose()
        {
            Admin.Dispose();
            User.Dispose();
        }
    }
}
