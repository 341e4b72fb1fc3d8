using KvServer.Resp;
using KvServer.Server.Acl;
using KvServer.Server.Clients;
using KvServer.Server.PubSub;
using KvServer.Server.Text;

namespace KvServer.Server.Commands;

/// <summary>Publish and subscribe: channels, patterns and the channels of shards.</summary>
/// <remarks>SUBSCRIBE and its kin reply once for each name, as an array in RESP2 and as a push in RESP3; CLIENT REPLY OFF
/// does not silence them, since a client that listens only would never learn that it does.</remarks>
internal static class PubSubCommands
{
    private const CommandFlags Flags =
        CommandFlags.PubSub | CommandFlags.NoScript | CommandFlags.Loading | CommandFlags.Stale
        | CommandFlags.WhileSubscribed;

    private const CommandFlags Looks = CommandFlags.PubSub | CommandFlags.Loading | CommandFlags.Stale;

    private static readonly string[] Help =
    [
        "CHANNELS [<pattern>]",
        "    The channels somebody listens to, all or those that match.",
        "NUMPAT",
        "    How many patterns somebody listens to.",
        "NUMSUB [<channel> ...]",
        "    How many clients listen to each of these channels; patterns do not count.",
        "SHARDCHANNELS [<pattern>]",
        "    The shard channels somebody listens to, all or those that match.",
        "SHARDNUMSUB [<shardchannel> ...]",
        "    How many clients listen to each of these shard channels.",
    ];

    /// <summary>Listens to channels.</summary>
    [Command("SUBSCRIBE", arity: -2, Flags, Group = CommandGroup.PubSub, Channels = ChannelUse.Subscribe, Since = "2.0.0",
        Complexity = "O(N) in the channels named.", Syntax = "channel...", Summary = "Listens to channels.")]
    internal static void Subscribe(CommandContext ctx) =>
        Subscribe(ctx, SubscriptionKind.Channel, "subscribe"u8);

    /// <summary>Listens to the channels that match patterns.</summary>
    [Command("PSUBSCRIBE", arity: -2, Flags, Group = CommandGroup.PubSub, Channels = ChannelUse.SubscribeToPatterns, Since = "2.0.0",
        Complexity = "O(N) in the patterns named.", Syntax = "pattern:(pattern)...",
        Summary = "Listens to all channels that match patterns.")]
    internal static void PSubscribe(CommandContext ctx) =>
        Subscribe(ctx, SubscriptionKind.Pattern, "psubscribe"u8);

    /// <summary>Stops listening to channels, to all of them without a name.</summary>
    [Command("UNSUBSCRIBE", arity: -1, Flags, Group = CommandGroup.PubSub, Since = "2.0.0",
        Complexity = "O(N) in the channels named.", Syntax = "[channel...]",
        Summary = "Stops listening to channels.")]
    internal static void Unsubscribe(CommandContext ctx) =>
        Unsubscribe(ctx, SubscriptionKind.Channel, "unsubscribe"u8);

    /// <summary>Stops listening to patterns, to all of them without a name.</summary>
    [Command("PUNSUBSCRIBE", arity: -1, Flags, Group = CommandGroup.PubSub, Since = "2.0.0",
        Complexity = "O(N) in the patterns named.", Syntax = "[pattern...]",
        Summary = "Stops listening to patterns.")]
    internal static void PUnsubscribe(CommandContext ctx) =>
        Unsubscribe(ctx, SubscriptionKind.Pattern, "punsubscribe"u8);

    /// <summary>Listens to shard channels.</summary>
    /// <remarks>Without a cluster there is one shard, and these are channels beside the others. Not inside MULTI, where
    /// SUBSCRIBE and PSUBSCRIBE are allowed for the sake of old clients.</remarks>
    [Command("SSUBSCRIBE", arity: -2, Flags, Group = CommandGroup.PubSub, Channels = ChannelUse.Subscribe, Since = "7.0.0",
        Complexity = "O(N) in the shard channels named.", Syntax = "shardchannel...",
        Summary = "Listens to shard channels.")]
    [Keys(first: 1, KeyAccess.NotKey, Last = -1)]
    internal static void SSubscribe(CommandContext ctx)
    {
        if (ctx.Client.Is(ClientFlags.DenyBlocking))
        {
            ctx.Reply.Error("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client"u8);
            return;
        }

        Subscribe(ctx, SubscriptionKind.Shard, "ssubscribe"u8);
    }

    /// <summary>Stops listening to shard channels, to all of them without a name.</summary>
    [Command("SUNSUBSCRIBE", arity: -1, Flags, Group = CommandGroup.PubSub, Since = "7.0.0",
        Complexity = "O(N) in the shard channels named.", Syntax = "[shardchannel...]",
        Summary = "Stops listening to shard channels.")]
    [Keys(first: 1, KeyAccess.NotKey, Last = -1)]
    internal static void SUnsubscribe(CommandContext ctx) =>
        Unsubscribe(ctx, SubscriptionKind.Shard, "sunsubscribe"u8);

    /// <summary>Sends a message to those who listen to a shard channel and replies with their number.</summary>
    [Command("SPUBLISH", arity: 3,
        CommandFlags.PubSub | CommandFlags.Loading | CommandFlags.Stale | CommandFlags.Fast | CommandFlags.MayReplicate,
        Group = CommandGroup.PubSub, Channels = ChannelUse.Publish, Since = "7.0.0", Complexity = "O(N) in the subscribers of the shard channel.",
        Syntax = "shardchannel message", Summary = "Sends a message to a shard channel.")]
    [Keys(first: 1, KeyAccess.NotKey)]
    internal static void SPublish(CommandContext ctx) =>
        ctx.Reply.Integer(Publish(ctx, SubscriptionKind.Shard));

    /// <summary>Sends a message to those who listen and replies with the number of deliveries.</summary>
    [Command("PUBLISH", arity: 3,
        CommandFlags.PubSub | CommandFlags.Loading | CommandFlags.Stale | CommandFlags.Fast | CommandFlags.MayReplicate,
        Group = CommandGroup.PubSub, Channels = ChannelUse.Publish, Since = "2.0.0",
        Complexity = "O(N+M) in the subscribers of the channel and the patterns there are.",
        Syntax = "channel message", Summary = "Sends a message to a channel.")]
    internal static void Publish(CommandContext ctx) =>
        ctx.Reply.Integer(Publish(ctx, SubscriptionKind.Channel));

    /// <summary>The container: alone it has the wrong number of arguments.</summary>
    [Command("PUBSUB", arity: -2, CommandFlags.None, Group = CommandGroup.PubSub, Since = "2.8.0",
        Complexity = "That of the subcommand.", Summary = "Holds the commands that look at publish and subscribe.")]
    internal static void Container(CommandContext ctx) => ctx.WrongArity();

    /// <summary>Replies with the channels that have subscribers.</summary>
    [Command("PUBSUB|CHANNELS", arity: -2, Looks, Group = CommandGroup.PubSub, Since = "2.8.0",
        Complexity = "O(N) in the channels there are.", Syntax = "[pattern]",
        Summary = "Lists the channels somebody listens to.")]
    internal static void Channels(CommandContext ctx) => ListNames(ctx, SubscriptionKind.Channel);

    /// <summary>Replies with the shard channels that have subscribers.</summary>
    [Command("PUBSUB|SHARDCHANNELS", arity: -2, Looks, Group = CommandGroup.PubSub, Since = "7.0.0",
        Complexity = "O(N) in the shard channels there are.", Syntax = "[pattern]",
        Summary = "Lists the shard channels somebody listens to.")]
    internal static void ShardChannels(CommandContext ctx) => ListNames(ctx, SubscriptionKind.Shard);

    /// <summary>Replies with pairs of channel and number of subscribers.</summary>
    [Command("PUBSUB|NUMSUB", arity: -2, Looks, Group = CommandGroup.PubSub, Since = "2.8.0",
        Complexity = "O(N) in the channels named.", Syntax = "[channel...]",
        Summary = "Counts the subscribers of channels.")]
    internal static void NumSub(CommandContext ctx) => CountSubscribers(ctx, SubscriptionKind.Channel);

    /// <summary>Replies with pairs of shard channel and number of subscribers.</summary>
    [Command("PUBSUB|SHARDNUMSUB", arity: -2, Looks, Group = CommandGroup.PubSub, Since = "7.0.0",
        Complexity = "O(N) in the shard channels named.", Syntax = "[shardchannel...]",
        Summary = "Counts the subscribers of shard channels.")]
    internal static void ShardNumSub(CommandContext ctx) => CountSubscribers(ctx, SubscriptionKind.Shard);

    /// <summary>Replies with the number of distinct patterns.</summary>
    [Command("PUBSUB|NUMPAT", arity: 2, Looks, Group = CommandGroup.PubSub, Since = "2.8.0",
        Summary = "Counts the patterns somebody listens to.")]
    internal static void NumPat(CommandContext ctx) => ctx.Reply.Integer(ctx.Server.PubSub.CountOf(SubscriptionKind.Pattern));

    /// <summary>Replies with a summary of the subcommands.</summary>
    [Command("PUBSUB|HELP", arity: 2, CommandFlags.Loading | CommandFlags.Stale, Group = CommandGroup.PubSub,
        Since = "6.2.0", Summary = "Explains the subcommands.")]
    internal static void ShowHelp(CommandContext ctx) => HelpReply.Write(ctx, Help);

    // Whoever may get a message in the middle of its own replies gets it at once.
    private static int Publish(CommandContext ctx, SubscriptionKind kind)
    {
        PubSubRegistry registry = ctx.Server.PubSub;
        ReadOnlySpan<byte> channel = ctx.Args[1];
        ReadOnlySpan<byte> message = ctx.Args[2];
        if (!ctx.Client.Is(ClientFlags.Subscribed | ClientFlags.Multi | ClientFlags.DenyBlocking))
        {
            return registry.PublishSoon(kind, channel, message);
        }

        return kind == SubscriptionKind.Shard ? registry.PublishToShard(channel, message) : registry.Publish(channel, message);
    }

    private static void ListNames(CommandContext ctx, SubscriptionKind kind)
    {
        if (ctx.Args.Count > 3)
        {
            ctx.Reply.Error(CommandError.SubcommandSyntax("PUBSUB", ctx.Args[1]));
            return;
        }

        DeferredAggregate array = ctx.Reply.BeginArray();
        int count = 0;
        foreach (byte[] name in ctx.Server.PubSub.NamesOf(kind))
        {
            if (ctx.Args.Count == 2 || Glob.IsMatch(ctx.Args[2], name))
            {
                ctx.Reply.BulkString(name);
                count++;
            }
        }

        ctx.Reply.End(array, count);
    }

    private static void CountSubscribers(CommandContext ctx, SubscriptionKind kind)
    {
        Arguments args = ctx.Args;
        ctx.Reply.Array((args.Count - 2) * 2);
        for (int i = 2; i < args.Count; i++)
        {
            ctx.Reply.BulkString(args[i]);
            ctx.Reply.Integer(ctx.Server.PubSub.SubscriberCount(kind, args[i]));
        }
    }

    private static void Subscribe(CommandContext ctx, SubscriptionKind kind, ReadOnlySpan<byte> word)
    {
        Arguments args = ctx.Args;
        for (int i = 1; i < args.Count; i++)
        {
            ctx.Server.PubSub.Subscribe(ctx.Client, kind, args[i]);
            Confirm(ctx, kind, word, args[i], isNull: false);
        }
    }

    private static void Unsubscribe(CommandContext ctx, SubscriptionKind kind, ReadOnlySpan<byte> word)
    {
        Arguments args = ctx.Args;
        for (int i = 1; i < args.Count; i++)
        {
            ctx.Server.PubSub.Unsubscribe(ctx.Client, kind, args[i]);
            Confirm(ctx, kind, word, args[i], isNull: false);
        }

        if (args.Count > 1)
        {
            return;
        }

        byte[][] names = [.. ctx.Client.Subscriptions?.NamesOf(kind) ?? []];
        foreach (byte[] name in names)
        {
            ctx.Server.PubSub.Unsubscribe(ctx.Client, kind, name);
            Confirm(ctx, kind, word, name, isNull: false);
        }

        if (names.Length == 0)
        {
            Confirm(ctx, kind, word, name: default, isNull: true);
        }
    }

    private static void Confirm(
        CommandContext ctx, SubscriptionKind kind, ReadOnlySpan<byte> word, ReadOnlySpan<byte> name, bool isNull)
    {
        ReplyWriter reply = ctx.Reply;
        bool suppressed = reply.Suppressed;
        reply.Suppressed = false;
        reply.Push(3);
        reply.BulkString(word);
        if (isNull)
        {
            reply.Null();
        }
        else
        {
            reply.BulkString(name);
        }

        reply.Integer(ctx.Client.Subscriptions?.CountBeside(kind) ?? 0);
        reply.Suppressed = suppressed;
    }
}
