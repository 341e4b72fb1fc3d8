using KvServer.Differential.Tests.Running;

namespace KvServer.Differential.Tests.Streams;

/// <summary>One command of a random stream and how its replies are compared.</summary>
public sealed record StreamCommand(IReadOnlyList<byte[]> Arguments, ReplyComparison Comparison, long Tolerance = 0);
