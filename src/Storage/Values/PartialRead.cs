namespace KvServer.Storage;

/// <summary>Somebody who reads a value in parts, over several turns of the command loop, and has to see it as it was when
/// it began.</summary>
/// <remarks>
/// <para>No copy is made. Before the value changes, moves or goes, whatever the command, the reader is told and reads what is
/// left at once: only then does a writer wait, and only one of the same key. Until then a hash table of the value does not
/// rehash, so a place in it stays good.</para>
/// <para>Command loop only.</para>
/// </remarks>
public abstract unsafe class PartialRead
{
    private byte* _block;
    private DictState* _table;
    private Keyspace? _keyspace;

    /// <summary>Whether it is under way.</summary>
    protected bool IsReading => _keyspace is not null;

    /// <summary>The entry that is being read. Valid while <see cref="IsReading"/>.</summary>
    protected Entry Entry => new(_block);

    /// <summary>Begins: from now on the value does not change without <see cref="Complete"/> being called first.</summary>
    /// <exception cref="OutOfMemoryException">It has not begun.</exception>
    protected void Begin(Keyspace keyspace, Entry entry)
    {
        keyspace.PartialReads.Add(entry.Block, this);
        _block = entry.Block;
        _table = ValueLifetime.TableOf(entry.Block);
        if (_table != null)
        {
            _table->PauseCount++;
        }

        _keyspace = keyspace;
        keyspace.UpdateObserved();
    }

    /// <summary>Ends: everything has been read, or nobody wants the rest. Does nothing the second time.</summary>
    protected void End()
    {
        if (_keyspace is not { } keyspace)
        {
            return;
        }

        if (_table != null)
        {
            _table->PauseCount--;
        }

        keyspace.PartialReads.Remove(_block, this);
        keyspace.UpdateObserved();
        _keyspace = null;
    }

    /// <summary>Reads everything that is left, now, and ends.</summary>
    protected internal abstract void Complete();
}
