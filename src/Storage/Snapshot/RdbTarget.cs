namespace KvServer.Storage;

/// <summary>Where a value that is being read shall go.</summary>
/// <param name="database">The database.</param>
/// <param name="key">The key, new or not.</param>
/// <param name="expireAtMs">When it expires, or <see cref="Database.NoExpiry"/>.</param>
/// <param name="limits">Up to where values stay packed.</param>
/// <param name="isPayload">Whether nothing may follow the value.</param>
internal readonly ref struct RdbTarget(
    Database database, Key key, long expireAtMs, ValueLimits limits, bool isPayload)
{
    public readonly Database Database = database;
    public readonly Key Key = key;
    public readonly long ExpireAtMs = expireAtMs;
    public readonly ValueLimits Limits = limits;
    private readonly bool _isPayload = isPayload;

    /// <summary>The last check of a builder that has read its value and is about to change the database.</summary>
    public void BeforeStore(RdbInput input)
    {
        if (_isPayload && input.Remaining > 0)
        {
            input.Fail("Bytes follow the value");
        }
    }
}
