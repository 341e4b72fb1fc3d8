using KvServer.Server.Config;

namespace KvServer.Server.Acl;

/// <summary>The words for what is wrong with a rule, those of the reference server.</summary>
internal static class AclRuleErrors
{
    /// <summary>A selector that is not closed, of users that are loaded.</summary>
    public const string OpenSelector = "Unmatched parenthesis in selector definition.";

    /// <summary>The text for an error of a rule that is loaded: it goes to the log, and the rule may be a password, so that
    /// only one that names a command is told.</summary>
    public static string TextOf(byte[] rule, AclRuleError error) => error == AclRuleError.UnknownCommand
        ? $"Error in applying operation '{ConfigText.FromBytes(rule)}': {TextOf(error)}"
        : TextOf(error);

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
