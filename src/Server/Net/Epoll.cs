using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KvServer.Server.Net;

/// <summary>A level-triggered epoll set and the eventfd that wakes whoever waits in it.</summary>
/// <remarks>
/// Each descriptor is its own event data, so the event loop finds a connection by indexing an array with it. Only the
/// owning loop's thread calls anything but <see cref="Wake"/>.
/// </remarks>
internal sealed unsafe class Epoll : IDisposable
{
    /// <summary>Events taken from the kernel in one turn, and so the most receive blocks in use at a time.</summary>
    internal const int MaxEvents = 512;

    // struct epoll_event is packed to 12 bytes on x86-64 alone; elsewhere its data is aligned to 8.
    private static readonly int EventBytes =
        RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

    private static readonly int DataOffset = EventBytes - sizeof(ulong);

    private readonly int _epoll;
    private readonly int _wakeEvent;
    private readonly byte[] _events = GC.AllocateArray<byte>(MaxEvents * 16, pinned: true);
    private readonly byte* _firstEvent;
    private bool _disposed;

    /// <summary>Creates the set with its wake descriptor registered.</summary>
    /// <exception cref="IOException">The system has no descriptors left.</exception>
    internal Epoll()
    {
        _firstEvent = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_events));
        _epoll = Libc.EpollCreate(Libc.EPOLL_CLOEXEC);
        if (_epoll < 0)
        {
            throw LinuxSocket.Failure("epoll_create1");
        }

        _wakeEvent = Libc.EventFd(0, Libc.EFD_NONBLOCK | Libc.EFD_CLOEXEC);
        if (_wakeEvent < 0)
        {
            IOException failure = LinuxSocket.Failure("eventfd");
            _ = Libc.Close(_epoll);
            throw failure;
        }

        Add(_wakeEvent, Libc.EPOLLIN);
    }

    /// <summary>The descriptor that reports a <see cref="Wake"/>.</summary>
    internal int WakeDescriptor => _wakeEvent;

    /// <summary>Waits for events.</summary>
    /// <param name="timeoutMs">Longest wait; 0 only looks, -1 waits without end.</param>
    /// <returns>The number of events to read with <see cref="Event"/>, 0 after the time or a signal.</returns>
    internal int Wait(int timeoutMs)
    {
        int count = Libc.EpollWait(_epoll, _firstEvent, MaxEvents, timeoutMs);
        if (count >= 0)
        {
            return count;
        }

        return Marshal.GetLastSystemError() == Libc.EINTR ? 0 : throw LinuxSocket.Failure("epoll_wait");
    }

    /// <summary>Reads the event at <paramref name="index"/> of the latest <see cref="Wait"/>.</summary>
    /// <param name="index">Below what Wait returned.</param>
    /// <param name="ready">EPOLLIN, EPOLLOUT and so on.</param>
    /// <returns>The descriptor the event is about.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int Event(int index, out uint ready)
    {
        byte* at = _firstEvent + (index * EventBytes);
        ready = Unsafe.ReadUnaligned<uint>(at);
        return Unsafe.ReadUnaligned<int>(at + DataOffset);
    }

    /// <summary>Starts to watch a descriptor.</summary>
    /// <returns>False when the system allows no more of them.</returns>
    internal bool TryAdd(int fd, uint interest) => Control(Libc.EPOLL_CTL_ADD, fd, interest);

    /// <summary>Starts to watch a descriptor that the loop cannot do without.</summary>
    /// <exception cref="IOException">The system allows no more of them.</exception>
    internal void Add(int fd, uint interest)
    {
        if (!Control(Libc.EPOLL_CTL_ADD, fd, interest))
        {
            throw LinuxSocket.Failure("epoll_ctl");
        }
    }

    /// <summary>Changes what is watched on a descriptor.</summary>
    internal void Modify(int fd, uint interest)
    {
        if (!Control(Libc.EPOLL_CTL_MOD, fd, interest))
        {
            throw LinuxSocket.Failure("epoll_ctl");
        }
    }

    /// <summary>Stops watching a descriptor. Unknown ones are ignored.</summary>
    internal void Remove(int fd) => _ = Control(Libc.EPOLL_CTL_DEL, fd, 0);

    /// <summary>Makes the current or the next <see cref="Wait"/> return. Any thread.</summary>
    internal void Wake()
    {
        ulong one = 1;
        _ = Libc.Write(_wakeEvent, (byte*)&one, sizeof(ulong));
    }

    /// <summary>Takes back all wakes so far, so that the descriptor reports only new ones.</summary>
    internal void ClearWake()
    {
        ulong count;
        _ = Libc.Read(_wakeEvent, (byte*)&count, sizeof(ulong));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _ = Libc.Close(_wakeEvent);
            _ = Libc.Close(_epoll);
        }
    }

    private bool Control(int operation, int fd, uint interest)
    {
        byte* epollEvent = stackalloc byte[16];
        Unsafe.WriteUnaligned(epollEvent, interest);
        Unsafe.WriteUnaligned(epollEvent + DataOffset, (ulong)(uint)fd);
        return Libc.EpollControl(_epoll, operation, fd, epollEvent) == 0;
    }
}
