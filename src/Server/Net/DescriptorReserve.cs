namespace KvServer.Server.Net;

/// <summary>A few descriptors kept back, so that clients cannot take the very last ones.</summary>
/// <remarks>
/// The runtime opens files when it likes, to load an assembly for example, and ends the process when it cannot. When
/// accepting fails for lack of descriptors the reserve is given up for its sake, and nobody is accepted until the
/// reserve could be taken again. Any thread; does nothing except on Linux.
/// </remarks>
internal sealed class DescriptorReserve : IDisposable
{
    private const int Reserved = 16;

    private readonly Lock _lock = new();
    private readonly Stack<int> _held = new(Reserved);

    /// <summary>Takes the reserve if it is not held.</summary>
    /// <returns>Whether it is held now; if not, none of it is.</returns>
    internal bool TryTake()
    {
        if (!OperatingSystem.IsLinux())
        {
            return true;
        }

        lock (_lock)
        {
            while (_held.Count < Reserved)
            {
                int descriptor = Libc.EventFd(0, Libc.EFD_CLOEXEC);
                if (descriptor < 0)
                {
                    Free();
                    return false;
                }

                _held.Push(descriptor);
            }

            return true;
        }
    }

    /// <summary>Gives it up.</summary>
    internal void Release()
    {
        lock (_lock)
        {
            Free();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Release();

    private void Free()
    {
        while (_held.TryPop(out int descriptor))
        {
            LinuxSocket.Close(descriptor);
        }
    }
}
