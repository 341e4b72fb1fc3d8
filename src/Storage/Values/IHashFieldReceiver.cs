namespace KvServer.Storage;

/// <summary>Takes the fields that a scan meets; a struct of its own per use, so that nothing is allocated.</summary>
public interface IHashFieldReceiver
{
    /// <summary>Called once per field, which is valid during the call. Must not change the hash.</summary>
    void Receive(HashField field);
}
