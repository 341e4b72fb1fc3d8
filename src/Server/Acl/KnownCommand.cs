using System.Text;

namespace KvServer.Server.Acl;

/// <summary>A command that rules can name, whether the server has it or not.</summary>
/// <param name="id">Its bit in a selector: <see cref="Commands.Command.Id"/> for those of the command table.</param>
/// <param name="name">Lower case, subcommands as <c>config|get</c>.</param>
/// <param name="categories">Names of its categories.</param>
internal sealed class KnownCommand(int id, string name, string[] categories)
{
    private readonly List<KnownCommand> _subcommands = [];

    public int Id { get; } = id;

    public string Name { get; } = name;

    public byte[] NameBytes { get; } = Encoding.ASCII.GetBytes(name);

    public string[] Categories { get; } = categories;

    /// <summary>Whether Redis 7.0 has it: those decide which categories stand for a set of commands.</summary>
    public bool IsOfReference { get; init; } = true;

    /// <summary>The container of a subcommand, else null.</summary>
    public KnownCommand? Container { get; private set; }

    /// <summary>Empty for a plain command.</summary>
    public IReadOnlyList<KnownCommand> Subcommands => _subcommands;

    internal void Add(KnownCommand subcommand)
    {
        subcommand.Container = this;
        _subcommands.Add(subcommand);
    }
}
