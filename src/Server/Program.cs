return await KvServer.Server.Hosting.ServerHost.RunAsync(args);
