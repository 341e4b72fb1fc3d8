namespace KvServer.Server.Commands;

/// <summary>What an argument is, in COMMAND DOCS' terms.</summary>
internal enum CommandArgumentType : byte
{
    String,
    Integer,
    Double,
    Key,
    Pattern,
    UnixTime,
    PureToken,
    OneOf,
    Block,
}
