using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using KvServer.Resp;

namespace KvServer.Server.Commands;

/// <summary>Every command, built once at start-up from the declarations on the handlers.</summary>
/// <remarks>
/// Reflection runs over the listed types only, so a trimmed or ahead-of-time compiled server keeps working. A bad
/// declaration stops start-up with its name. Afterwards the table is read-only: any thread may look up.
/// </remarks>
internal sealed class CommandTable
{
    private const DynamicallyAccessedMemberTypes Methods =
        DynamicallyAccessedMemberTypes.PublicMethods | DynamicallyAccessedMemberTypes.NonPublicMethods;

    private readonly List<Command> _all = [];
    private readonly Dictionary<string, Command> _names = new(StringComparer.OrdinalIgnoreCase);
    private NameTable _byName = new([]);
    private NameTable _declared = new([]);

    /// <summary>Top-level commands that can be called, containers included, subcommands not.</summary>
    public IReadOnlyList<Command> TopLevel { get; private set; } = [];

    /// <summary>All commands and subcommands that are declared, those without a name too.</summary>
    public IReadOnlyList<Command> All => _all;

    /// <summary>Adds the declared handlers of one class. Call <see cref="Complete"/> after the last.</summary>
    public CommandTable Add<[DynamicallyAccessedMembers(Methods)] T>() => Add(typeof(T));

    /// <inheritdoc cref="Add{T}"/>
    public CommandTable Add([DynamicallyAccessedMembers(Methods)] Type handlers)
    {
        const BindingFlags Statics = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;
        foreach (MethodInfo method in handlers.GetMethods(Statics))
        {
            if (method.GetCustomAttribute<CommandAttribute>() is { } declaration)
            {
                _all.Add(Describe(handlers, method, declaration));
            }
        }

        return this;
    }

    /// <summary>Checks the declarations against each other and makes the names findable.</summary>
    /// <exception cref="InvalidOperationException">A declaration is wrong; the message names it.</exception>
    public CommandTable Complete()
    {
        for (int i = 0; i < _all.Count; i++)
        {
            _all[i].Id = i;
        }

        Dictionary<string, Command> top = new(StringComparer.Ordinal);
        foreach (Command command in _all.Where(command => !command.Declaration.Name.Contains('|')))
        {
            if (!top.TryAdd(command.Declaration.Name, command))
            {
                throw Bad(command.Declaration, "is declared twice");
            }
        }

        IEnumerable<IGrouping<string, Command>> families = _all
            .Where(command => command.Declaration.Name.Contains('|'))
            .GroupBy(command => command.Declaration.Name.Split('|')[0], StringComparer.Ordinal);
        foreach (IGrouping<string, Command> family in families)
        {
            if (!top.TryGetValue(family.Key, out Command? container))
            {
                throw Bad(family.First().Declaration, "has no container command");
            }

            container.Subcommands = new NameTable(
                [.. family.Select(sub => KeyValuePair.Create(sub.Declaration.Name.Split('|')[1], sub))]);
            container.SubcommandList = [.. family];
            foreach (Command subcommand in family)
            {
                subcommand.Container = container;
            }
        }

        foreach ((string name, Command command) in top)
        {
            _names.Add(name, command);
        }

        _declared = new NameTable(top);
        NamesChanged();
        return this;
    }

    /// <summary>Calls a command by another name, or by none: <c>rename-command</c>. Start-up only, before anybody looks up.</summary>
    /// <param name="name">Its name so far, in any case.</param>
    /// <param name="newName">One char per byte; empty takes the command away from clients.</param>
    /// <returns>What speaks against it, in the words of the reference server, or null.</returns>
    /// <remarks>Only requests of clients are changed by it. Statistics, error texts, ACL rules and the append-only file keep to
    /// the name that was declared.</remarks>
    public string? Rename(string name, string newName)
    {
        if (!_names.TryGetValue(name, out Command? command))
        {
            return "No such command in rename-command";
        }

        if (newName.Length > 0 && !newName.Equals(name, StringComparison.OrdinalIgnoreCase) && _names.ContainsKey(newName))
        {
            return "Target command name already exists";
        }

        _names.Remove(name);
        if (newName.Length > 0)
        {
            _names.Add(newName, command);
        }

        command.GiveName(isCallable: newName.Length > 0);
        NamesChanged();
        return null;
    }

    /// <summary>The top-level command of this name in any case, or null.</summary>
    public Command? Find(ReadOnlySpan<byte> name) => _byName.Find(name);

    /// <summary>The command that a request of the append-only file calls: the file says the declared names. One written by a
    /// redis-server with the same <c>rename-command</c> lines has the new ones.</summary>
    public Command? FindLogged(Arguments args) => FindSubcommand(_declared.Find(args[0]), args) ?? Find(args);

    /// <summary>The command of a full name, subcommands spelled <c>config|get</c>, or null.</summary>
    public Command? FindFullName(ReadOnlySpan<byte> name)
    {
        int bar = name.IndexOf((byte)'|');
        return bar < 0 ? Find(name) : Find(name[..bar])?.Subcommands?.Find(name[(bar + 1)..]);
    }

    /// <summary>The command a request calls: a subcommand where the first word is a container that has it.</summary>
    /// <returns>The container itself when its subcommand is missing or unknown; null for an unknown name.</returns>
    public Command? Find(Arguments args) => FindSubcommand(_byName.Find(args[0]), args);

    /// <summary>Sets the counters of every command to zero (CONFIG RESETSTAT).</summary>
    public void ResetStatistics() => _all.ForEach(command => command.ResetStatistics());

    private static Command? FindSubcommand(Command? command, Arguments args)
    {
        if (command?.Subcommands is { } subcommands && args.Count > 1)
        {
            return subcommands.Find(args[1]) ?? command;
        }

        return command;
    }

    private void NamesChanged()
    {
        TopLevel = [.. _names.Values];
        _byName = new NameTable(_names);
    }

    private static Command Describe(
        [DynamicallyAccessedMembers(Methods)] Type handlers, MethodInfo method, CommandAttribute declaration)
    {
        if (declaration.Arity == 0)
        {
            throw Bad(declaration, "has no arity");
        }

        if (declaration.Flags.HasFlag(CommandFlags.Write | CommandFlags.ReadOnly))
        {
            throw Bad(declaration, "is declared both Write and ReadOnly");
        }

        KeySpec[] keys = [.. method.GetCustomAttributes<KeysAttribute>().Select(key => Describe(handlers, key))];
        for (int i = 0; i < keys.Length; i++)
        {
            // Further keys up to the end may be none at all, as in PFMERGE, and so may what are no keys.
            KeySpec key = keys[i];
            bool mayBeEmpty = (i > 0 || !key.IsOfKeys) && declaration.Arity < 0 && key.Declaration.Last < 0;
            if (key.HasFixedFirst && !mayBeEmpty && key.First >= Math.Abs(declaration.Arity))
            {
                throw Bad(declaration, "has a key outside its arity");
            }
        }

        return new Command(
            declaration, keys, method.CreateDelegate<Action<CommandContext>>(), FindSecrets(handlers, method));
    }

    private static KeySpec Describe([DynamicallyAccessedMembers(Methods)] Type handlers, KeysAttribute declaration)
    {
        if (declaration.Finder.Length == 0)
        {
            return new KeySpec(declaration, finder: null);
        }

        MethodInfo? finder = handlers.GetMethod(
            declaration.Finder, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic);
        return finder is null
            ? throw new InvalidOperationException($"{handlers.Name} has no key finder {declaration.Finder}.")
            : new KeySpec(declaration, finder.CreateDelegate<KeyFinder>());
    }

    private static SecretFinder? FindSecrets(
        [DynamicallyAccessedMembers(Methods)] Type handlers, MethodInfo method)
    {
        if (method.GetCustomAttribute<SecretsAttribute>() is not { } declaration)
        {
            return null;
        }

        if (declaration.Finder.Length == 0)
        {
            return (_, index) => index >= declaration.From;
        }

        MethodInfo? finder = handlers.GetMethod(
            declaration.Finder, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic);
        return finder?.CreateDelegate<SecretFinder>()
            ?? throw new InvalidOperationException($"{handlers.Name} has no finder of secrets {declaration.Finder}.");
    }

    private static InvalidOperationException Bad(CommandAttribute declaration, string what) =>
        new($"Command {declaration.Name} {what}.");
}
