namespace KvServer.Server.Acl;

/// <summary>A category: the commands that belong to it, and those that a rule with it changes.</summary>
/// <param name="Name">As in <c>+@name</c>.</param>
/// <param name="Members">The commands of Redis 7.0 that belong to it.</param>
/// <param name="Changed">What <c>+@name</c> allows: all members, and all subcommands of containers that are members, which is
/// more than belongs to it.</param>
internal sealed record CommandCategory(string Name, CommandBits Members, CommandBits Changed)
{
    public byte[] NameBytes { get; } = System.Text.Encoding.ASCII.GetBytes(Name);
}
