using KvServer.Benchmarks;

return await BenchmarkProgram.RunAsync(args);
