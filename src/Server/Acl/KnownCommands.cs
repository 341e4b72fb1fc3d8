using System.Text;
using KvServer.Server.Commands;

namespace KvServer.Server.Acl;

/// <summary>Every command and category that rules can name. Built once; any thread may look up.</summary>
internal sealed class KnownCommands
{
    private const int MaxNameBytes = 64;

    private static readonly Version NewestOfReference = new(7, 0, 15);

    private readonly Dictionary<string, KnownCommand> _byName = new(StringComparer.Ordinal);
    private readonly List<KnownCommand> _topLevel = [];

    public KnownCommands(CommandTable table)
    {
        foreach (Command command in table.All)
        {
            Add(new KnownCommand(command.Id, command.DisplayName, AclCategories.Of(command))
            {
                IsOfReference = Version.Parse(command.Declaration.Since) <= NewestOfReference,
            });
        }

        foreach ((string categories, string names) in AbsentCommands.All)
        {
            foreach (string name in names.Split(' ').Where(name => !_byName.ContainsKey(name)))
            {
                Add(new KnownCommand(_byName.Count, name, categories.Split(' ')));
            }
        }

        foreach (KnownCommand command in _byName.Values)
        {
            int bar = command.Name.IndexOf('|', StringComparison.Ordinal);
            if (bar < 0)
            {
                _topLevel.Add(command);
            }
            else
            {
                _byName[command.Name[..bar]].Add(command);
            }
        }

        Categories = [.. AclCategories.All.Select(Describe)];
    }

    /// <summary>Commands and, at the end, the bit that stands for those of the future.</summary>
    public int BitCount => _byName.Count + 1;

    /// <summary>The bit that only <c>+@all</c> sets.</summary>
    public int FutureBit => _byName.Count;

    /// <summary>Commands that are no subcommands.</summary>
    public IReadOnlyList<KnownCommand> TopLevel => _topLevel;

    /// <summary>In the order ACL CAT lists them.</summary>
    public IReadOnlyList<CommandCategory> Categories { get; }

    /// <summary>The command of a full name in any case, or null.</summary>
    public KnownCommand? Find(ReadOnlySpan<byte> name)
    {
        Span<char> lower = stackalloc char[MaxNameBytes];
        return name.Length <= MaxNameBytes
            && Ascii.ToLower(name, lower, out int length) == System.Buffers.OperationStatus.Done
            && _byName.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(lower[..length], out KnownCommand? found)
            ? found
            : null;
    }

    /// <summary>The category of a name in any case, or null; <c>all</c> is none.</summary>
    public CommandCategory? FindCategory(ReadOnlySpan<byte> name)
    {
        foreach (CommandCategory category in Categories)
        {
            if (Ascii.EqualsIgnoreCase(name, category.NameBytes))
            {
                return category;
            }
        }

        return null;
    }

    private void Add(KnownCommand command) => _byName.Add(command.Name, command);

    private CommandCategory Describe(string name)
    {
        CommandBits members = new(BitCount);
        CommandBits changed = new(BitCount);
        foreach (KnownCommand command in _byName.Values.Where(command => command.Categories.Contains(name)))
        {
            members[command.Id] = command.IsOfReference;
            changed[command.Id] = true;
            foreach (KnownCommand subcommand in command.Subcommands)
            {
                changed[subcommand.Id] = true;
            }
        }

        return new CommandCategory(name, members, changed);
    }
}
