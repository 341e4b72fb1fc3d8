using KvServer.Resp;

namespace KvServer.Server.Commands;

/// <summary>Tells whether an argument of a call is a secret, which appears in no output for operators.</summary>
/// <param name="args">All arguments, well formed or not.</param>
/// <param name="index">Which one.</param>
internal delegate bool SecretFinder(Arguments args, int index);
