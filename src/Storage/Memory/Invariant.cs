using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>Checks that stay on in release builds, because going on could write wrong data into a snapshot.</summary>
public static class Invariant
{
    /// <summary>Stops the process with a report when <paramref name="condition"/> does not hold.</summary>
    /// <param name="condition">What must be true.</param>
    /// <param name="whatBroke">One sentence about the broken rule; never contains user data.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Check([DoesNotReturnIf(false)] bool condition, string whatBroke)
    {
        if (!condition)
        {
            Fail(whatBroke);
        }
    }

    [DoesNotReturn]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Fail(string whatBroke) => Environment.FailFast("Storage invariant broken: " + whatBroke);
}
