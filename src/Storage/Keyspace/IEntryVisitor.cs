namespace KvServer.Storage;

/// <summary>Receives the entries of a walk; a struct, perhaps a ref struct, so that nothing is allocated per key.</summary>
public interface IEntryVisitor
{
    /// <summary>Called for each entry; must not change the database.</summary>
    void Visit(in Entry entry);
}
