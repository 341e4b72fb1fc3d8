namespace KvServer.Server.Acl;

/// <summary>What a command does with the channels among its arguments, for the checks of channel rights.</summary>
internal enum ChannelUse
{
    None,

    /// <summary>Publishes to the first argument.</summary>
    Publish,

    /// <summary>Subscribes to all arguments.</summary>
    Subscribe,

    /// <summary>Subscribes to all arguments, which are patterns.</summary>
    SubscribeToPatterns,
}
