using KvServer.Differential.Tests.Running;

namespace KvServer.Differential.Tests;

public sealed class SocketsScriptTests(SocketsPair pair, ITestOutputHelper output)
    : ScriptTests(pair, output), IClassFixture<SocketsPair>;
