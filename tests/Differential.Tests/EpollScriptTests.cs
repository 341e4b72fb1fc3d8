using KvServer.Differential.Tests.Running;

namespace KvServer.Differential.Tests;

public sealed class EpollScriptTests(EpollPair pair, ITestOutputHelper output)
    : ScriptTests(pair, output), IClassFixture<EpollPair>;
