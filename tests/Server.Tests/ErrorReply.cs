namespace KvServer.Server.Tests;

/// <summary>An error reply, decoded: its code and text without the sign and the line end.</summary>
public sealed record ErrorReply(string Text);
