namespace KvServer.Storage;

/// <summary>An order of items, for <see cref="PartialSort"/>: a struct, so that comparing is no call.</summary>
/// <typeparam name="T">What is compared.</typeparam>
public interface ISortOrder<T>
{
    /// <summary>Less than 0 when the first comes before the second, 0 when they are equal.</summary>
    int Compare(ref readonly T first, ref readonly T second);
}
