namespace KvServer.Server.Hosting;

/// <summary>How a client wants the server to shut down.</summary>
/// <param name="Save">Save first: true or false as the client says, null as the save points say.</param>
/// <param name="Now">Do not wait for replicas.</param>
/// <param name="Force">Go even when saving fails.</param>
internal readonly record struct ShutdownRequest(bool? Save, bool Now, bool Force);
