using System.Runtime.CompilerServices;
using KvServer.Resp;
using KvServer.Server.Acl;
using KvServer.Server.Observability;

namespace KvServer.Server.Commands;

/// <summary>One command as the server knows it: its declaration, its handler and its counters.</summary>
/// <remarks>Made once at start-up by <see cref="CommandTable"/>. The counters belong to the command loop.</remarks>
internal sealed class Command
{
    private const int MaxKeptPositions = 1024;

    private KeyRights? _plainRights;

    internal Command(
        CommandAttribute declaration, KeySpec[] keys, Action<CommandContext> handler, SecretFinder? secrets = null)
    {
        Declaration = declaration;
        Keys = keys;
        Secrets = secrets;
        Handler = handler;
        DisplayName = declaration.Name.ToLowerInvariant();
        Flags = declaration.Flags | (keys.Any(key => key.IsMovable) ? CommandFlags.MovableKeys : CommandFlags.None);
        MinArguments = Math.Abs(declaration.Arity);
        MaxArguments = declaration.Arity > 0 ? declaration.Arity : int.MaxValue;
        FirstKey = keys.Length > 0 && keys[0] is { HasFixedFirst: true, IsOfKeys: true } ? keys[0].First : 0;
        NamesOneKey = FirstKey > 0 && keys.Length == 1 && (keys[0].Declaration.Last == 0 || keys[0].Declaration.Last == FirstKey);
        OneKeyDecides = NamesOneKey && declaration.Channels == ChannelUse.None;
        IsBrief = Is(CommandFlags.Fast) || (NamesOneKey && declaration.Complexity == "O(1)");
        ArityError = CommandError.WrongArity(DisplayName);
    }

    /// <summary>Its place among all commands and subcommands, counted from 0.</summary>
    public int Id { get; internal set; }

    public CommandAttribute Declaration { get; }

    public KeySpec[] Keys { get; }

    public Action<CommandContext> Handler { get; }

    /// <summary>Tells which arguments are secret; null when none are.</summary>
    public SecretFinder? Secrets { get; }

    /// <summary>Lower case, subcommands as <c>client|id</c>: the spelling of error texts and statistics.</summary>
    public string DisplayName { get; }

    public CommandFlags Flags { get; }

    /// <summary>Index of the first key where it is the same in every call, else 0. The look-ahead hashes it.</summary>
    public int FirstKey { get; }

    /// <summary>Whether its calls name keys.</summary>
    public bool NamesKeys => Keys.Length > 0;

    /// <summary>Finds all keys of a call. O(arguments).</summary>
    /// <param name="args">The call.</param>
    /// <param name="positions">Emptied first; where they stand, in the order of the declaration. Room that one huge call took
    /// is given back by the next.</param>
    /// <returns>False when the call is not well formed; the list holds anything then.</returns>
    public bool TryFindKeys(Arguments args, List<int> positions)
    {
        positions.Clear();
        if (positions.Capacity > MaxKeptPositions)
        {
            positions.Capacity = 0;
        }

        foreach (KeySpec spec in Keys)
        {
            if (!spec.TryFind(args, positions))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether each call names one key, <see cref="FirstKey"/>.</summary>
    public bool NamesOneKey { get; }

    /// <summary>Whether the rights to the command and to its one key are all that a call needs.</summary>
    public bool OneKeyDecides { get; }

    /// <summary>The rights that a call needs to its key, where there is one. See <see cref="KeySpec.AccessOf"/>.</summary>
    /// <remarks>O(1) for calls without options, all of which do the same.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public KeyRights OneKeyRights(Arguments args) =>
        args.Count == MinArguments && _plainRights is { } rights ? rights : FindOneKeyRights(args);

    /// <summary>Whether a call takes about as long as the next one, given few arguments: <see cref="CommandFlags.Fast"/>, which
    /// SET and its kin are not because they need memory, or declared to cost the same whatever they find.</summary>
    public bool IsBrief { get; }

    public int MinArguments { get; }

    public int MaxArguments { get; }

    public byte[] ArityError { get; }

    /// <summary>Subcommands by their full name, or null for a plain command.</summary>
    public NameTable? Subcommands { get; internal set; }

    /// <summary>Subcommands in the order of their declaration; empty for a plain command.</summary>
    public IReadOnlyList<Command> SubcommandList { get; internal set; } = [];

    /// <summary>The container of a subcommand, else null.</summary>
    public Command? Container { get; internal set; }

    /// <summary>Whether clients have a name for it.</summary>
    public bool IsCallable { get; private set; } = true;

    /// <summary>How a call is passed on when clients have another name for it, else null.</summary>
    public byte[]? PropagatedName { get; private set; }

    /// <summary>Calls that ran to the end, failed ones included.</summary>
    public long Calls { get; internal set; }

    /// <summary>Time inside the handler, in nanoseconds.</summary>
    public long ElapsedNanos { get; internal set; }

    /// <summary>How long its calls took, for LATENCY HISTOGRAM; null before the first that was counted.</summary>
    public LatencyHistogram? Latency { get; internal set; }

    /// <summary>Calls refused before the handler ran.</summary>
    public long RejectedCalls { get; internal set; }

    /// <summary>Calls whose handler replied with an error.</summary>
    public long FailedCalls { get; internal set; }

    /// <summary>True when the command has all of <paramref name="flags"/>.</summary>
    public bool Is(CommandFlags flags) => (Flags & flags) == flags;

    /// <summary>What a call of this client may do: that of EXEC what the queued commands may.</summary>
    public CommandFlags FlagsFor(Clients.Client client) =>
        Is(CommandFlags.RunsQueue) && client.Transaction is { } transaction ? transaction.AddTo(Flags) : Flags;

    /// <summary>True when a call with this many arguments, the name included, is well formed.</summary>
    public bool AcceptsArity(int argumentCount) =>
        argumentCount >= MinArguments && argumentCount <= MaxArguments;

    /// <summary>Notes that clients have another name for it and its subcommands, or none. Start-up only.</summary>
    internal void GiveName(bool isCallable)
    {
        IsCallable = isCallable;
        PropagatedName = System.Text.Encoding.ASCII.GetBytes((Container ?? this).Declaration.Name);
        foreach (Command subcommand in SubcommandList)
        {
            subcommand.GiveName(isCallable);
        }
    }

    private KeyRights FindOneKeyRights(Arguments args)
    {
        KeyRights rights = AclCheck.RightsFor(Keys[0].AccessOf(args));
        if (args.Count == MinArguments)
        {
            _plainRights = rights;
        }

        return rights;
    }

    internal void ResetStatistics()
    {
        Calls = 0;
        ElapsedNanos = 0;
        Latency = null;
        RejectedCalls = 0;
        FailedCalls = 0;
    }
}
