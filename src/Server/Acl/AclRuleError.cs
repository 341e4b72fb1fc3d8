namespace KvServer.Server.Acl;

/// <summary>What is wrong with a rule.</summary>
internal enum AclRuleError
{
    None,
    Syntax,
    UnknownCommand,
    PatternAfterAllKeys,
    PatternAfterAllChannels,
    NoSuchPassword,
    BadHash,
    DuplicateUser,
    FirstArgOfSubcommand,
}
