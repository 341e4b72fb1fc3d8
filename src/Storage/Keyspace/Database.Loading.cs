namespace KvServer.Storage;

/// <content>What loading a file needs beside the ordinary changes.</content>
public sealed unsafe partial class Database
{
    /// <summary>Makes tables for so many keys at once, where that is more than there are.</summary>
    /// <param name="keys">Keys that will be there.</param>
    /// <param name="expires">How many of them with an expiry time.</param>
    /// <remarks>A hint: what the system has no memory for is left to grow. Table pages are not touched, O(1).</remarks>
    public void Reserve(long keys, long expires)
    {
        if (keys > _keys.Count)
        {
            _keys.TryExpand(keys);
        }

        if (expires > _expires.Count)
        {
            _expires.TryExpand(expires);
        }
    }

    /// <summary>Notes how a key has been used, as a file or payload says.</summary>
    /// <remarks>Ignored unless it is of the kind the present policy keeps. Does not count as an access.</remarks>
    public void SetAccess(Key key, AccessHint hint)
    {
        byte* block = _keys.Find(key.Hash, key.Bytes);
        if (block != null && _keyspace.TryMakeAccessClock(hint, out uint clock))
        {
            EntryBlock.SetClock(block, clock);
        }
    }
}
