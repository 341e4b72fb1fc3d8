// The maps that a stream consists of.
global using StreamConsumerNameTree = KvServer.Storage.StreamTree<
    KvServer.Storage.StreamConsumerNameSlot, KvServer.Storage.StreamName, KvServer.Storage.StreamConsumerNameSlot>;
global using StreamConsumerTree =
    KvServer.Storage.StreamTree<KvServer.Storage.StreamConsumerSlot, long, KvServer.Storage.StreamConsumerSlot>;
global using StreamGroupTree = KvServer.Storage.StreamTree<
    KvServer.Storage.StreamGroupSlot, KvServer.Storage.StreamName, KvServer.Storage.StreamGroupSlot>;
global using StreamIdTree = KvServer.Storage.StreamTree<
    KvServer.Storage.StreamIdSlot, KvServer.Storage.StreamId, KvServer.Storage.StreamIdSlot>;
global using StreamNodeTree = KvServer.Storage.StreamTree<
    KvServer.Storage.StreamNodeSlot, KvServer.Storage.StreamId, KvServer.Storage.StreamNodeSlot>;
global using StreamPendingTree = KvServer.Storage.StreamTree<
    KvServer.Storage.StreamPendingSlot, KvServer.Storage.StreamId, KvServer.Storage.StreamPendingSlot>;
