namespace KvServer.Server.Acl;

/// <summary>The words for what is wrong with a rule, those of the reference server.</summary>
internal static class AclRuleErrors
{
    /// <summary>The text for an error.</summary>
    public static string TextOf(AclRuleError error) => error switch
    {
        AclRuleError.UnknownCommand => "Unknown command or category name in ACL",
        AclRuleError.Syntax => "Syntax error",
        AclRuleError.PatternAfterAllKeys =>
            "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. "
            + "Try 'resetkeys' to start with an empty list of patterns",
        AclRuleError.PatternAfterAllChannels =>
            "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. "
            + "Try 'resetchannels' to start with an empty list of channels",
        AclRuleError.NoSuchPassword => "The password you are trying to remove from the user does not exist",
        AclRuleError.BadHash =>
            "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters",
        AclRuleError.DuplicateUser => "Duplicate user found. A user can only be defined once in config files",
        AclRuleError.FirstArgOfSubcommand => "Allowing first-arg of a subcommand is not supported",
        _ => "Wrong format",
    };
}
