using System.Diagnostics.CodeAnalysis;

namespace KvServer.Storage;

/// <summary>The one place that says there is no memory.</summary>
internal static class HeapFailure
{
    /// <summary>Throws what the runtime's own allocator throws, so that callers have one case to handle.</summary>
    [DoesNotReturn]
    [SuppressMessage("Usage", "CA2201", Justification = "Must be the exception NativeMemory throws.")]
    [SuppressMessage("Usage", "MA0012", Justification = "Must be the exception NativeMemory throws.")]
    public static void ThrowOutOfMemory() => throw new OutOfMemoryException();
}
