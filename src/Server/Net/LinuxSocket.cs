using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using KvServer.Server.Net.Pipes;

namespace KvServer.Server.Net;

/// <summary>Non-blocking socket calls on bare descriptors, with errno turned into results.</summary>
internal static unsafe class LinuxSocket
{
    /// <summary>Returned by <see cref="Receive"/> and <see cref="Send(int, ReadOnlySpan{byte})"/> when the socket has
    /// nothing or no room.</summary>
    internal const int WouldBlock = -1;

    /// <summary>Returned by <see cref="Receive"/> and <see cref="Send(int, ReadOnlySpan{byte})"/> when the connection is
    /// broken.</summary>
    internal const int Broken = -2;

    /// <summary>Segments that go out in one call. 64 blocks of 16 KB are a megabyte.</summary>
    internal const int MaxVectors = 64;

    // sockaddr_un is the largest address that a listener of ours hands out.
    private const int AddressBytes = 112;

    /// <summary>Accepts one connection as a non-blocking descriptor.</summary>
    /// <param name="listener">The listening descriptor.</param>
    /// <param name="remote">The peer, <see langword="null"/> on a Unix socket.</param>
    /// <param name="error">errno when the result is negative; EAGAIN means that nobody waits.</param>
    internal static int Accept(int listener, out EndPoint? remote, out int error)
    {
        byte* address = stackalloc byte[AddressBytes];
        uint addressLength = AddressBytes;
        int fd = Libc.Accept(listener, address, &addressLength, Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC);
        error = fd < 0 ? Marshal.GetLastSystemError() : 0;
        remote = fd < 0 ? null : ReadAddress(address, addressLength);
        return fd;
    }

    /// <summary>The local end of a connection, or <see langword="null"/> for none that has a name.</summary>
    internal static EndPoint? LocalEndPoint(int fd)
    {
        byte* address = stackalloc byte[AddressBytes];
        uint addressLength = AddressBytes;
        return Libc.GetSocketName(fd, address, &addressLength) == 0 ? ReadAddress(address, addressLength) : null;
    }

    /// <summary>Receives what is there, once.</summary>
    /// <returns>Bytes received, 0 at the end of the stream, <see cref="WouldBlock"/> or <see cref="Broken"/>.</returns>
    internal static int Receive(int fd, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            nint received = Libc.Receive(fd, start, (nuint)buffer.Length, 0);
            return received >= 0 ? (int)received : FailedTransfer();
        }
    }

    /// <summary>Sends as much as the socket takes, with one system call.</summary>
    /// <returns>Bytes sent, <see cref="WouldBlock"/> or <see cref="Broken"/>.</returns>
    internal static int Send(int fd, in ReadOnlySequence<byte> bytes)
    {
        return bytes.IsSingleSegment ? Send(fd, bytes.FirstSpan) : SendSegments(fd, bytes);
    }

    /// <inheritdoc cref="Send(int, in ReadOnlySequence{byte})"/>
    internal static int Send(int fd, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            nint sent = Libc.Send(fd, start, (nuint)bytes.Length, Libc.MSG_NOSIGNAL);
            return sent >= 0 ? (int)sent : FailedTransfer();
        }
    }

    /// <summary>Sends small replies at once instead of waiting for more to join them.</summary>
    internal static void SetNoDelay(int fd) => SetOption(fd, Libc.IPPROTO_TCP, Libc.TCP_NODELAY, 1);

    /// <summary>Has the kernel probe a silent peer, so that one that vanished is noticed.</summary>
    /// <param name="fd">A TCP connection.</param>
    /// <param name="intervalSeconds">Silence before the first probe; probes repeat at a third of it, three times.</param>
    internal static void SetKeepAlive(int fd, int intervalSeconds)
    {
        SetOption(fd, Libc.SOL_SOCKET, Libc.SO_KEEPALIVE, 1);
        SetOption(fd, Libc.IPPROTO_TCP, Libc.TCP_KEEPIDLE, intervalSeconds);
        SetOption(fd, Libc.IPPROTO_TCP, Libc.TCP_KEEPINTVL, Math.Max(1, intervalSeconds / 3));
        SetOption(fd, Libc.IPPROTO_TCP, Libc.TCP_KEEPCNT, 3);
    }

    /// <summary>Closes a descriptor of ours. It must not be used again: the number is soon somebody else's.</summary>
    internal static void Close(int fd) => _ = Libc.Close(fd);

    /// <summary>The number of descriptors this process may have open.</summary>
    internal static long MaxOpenDescriptors()
    {
        Libc.ResourceLimit limit;
        return Libc.GetResourceLimit(Libc.RLIMIT_NOFILE, &limit) == 0 && limit.Soft < long.MaxValue
            ? (long)limit.Soft
            : long.MaxValue;
    }

    /// <summary>An exception for the errno of the call that just failed.</summary>
    internal static IOException Failure(string call)
    {
        int error = Marshal.GetLastSystemError();
        return new IOException($"{call}: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int SendSegments(int fd, in ReadOnlySequence<byte> bytes)
    {
        Libc.IoVector* vectors = stackalloc Libc.IoVector[MaxVectors];
        int count = 0;
        foreach (ReadOnlyMemory<byte> segment in bytes)
        {
            if (segment.IsEmpty)
            {
                continue;
            }

            // The blocks of the pool are pinned for life, so their address may be taken without a fixed statement. An
            // array from elsewhere goes out alone.
            if (!MemoryMarshal.TryGetArray(segment, out ArraySegment<byte> array)
                || array.Array!.Length != BlockPool.BlockBytes)
            {
                if (count == 0)
                {
                    return Send(fd, segment.Span);
                }

                break;
            }

            vectors[count].Base = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(segment.Span));
            vectors[count].Length = (nuint)segment.Length;
            count++;
            if (count == MaxVectors)
            {
                break;
            }
        }

        Libc.MessageHeader message = new() { Vectors = vectors, VectorCount = (nuint)count };
        nint sent = Libc.SendMessage(fd, &message, Libc.MSG_NOSIGNAL);
        return sent >= 0 ? (int)sent : FailedTransfer();
    }

    private static int FailedTransfer() =>
        Marshal.GetLastSystemError() is Libc.EAGAIN or Libc.EINTR ? WouldBlock : Broken;

    private static void SetOption(int fd, int level, int option, int value) =>
        _ = Libc.SetSocketOption(fd, level, option, &value, sizeof(int));

    private static EndPoint? ReadAddress(byte* address, uint addressLength)
    {
        ReadOnlySpan<byte> bytes = new(address, (int)Math.Min(addressLength, AddressBytes));
        if (bytes.Length < sizeof(ushort))
        {
            return null;
        }

        switch (MemoryMarshal.Read<ushort>(bytes))
        {
            case Libc.AF_INET when bytes.Length >= 8:
                return new IPEndPoint(new IPAddress(bytes.Slice(4, 4)), BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]));
            case Libc.AF_INET6 when bytes.Length >= 28:
                long scope = MemoryMarshal.Read<uint>(bytes[24..]);
                return new IPEndPoint(
                    new IPAddress(bytes.Slice(8, 16), scope), BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]));
            case Libc.AF_UNIX when bytes.Length > 2 && bytes[2] != 0:
                ReadOnlySpan<byte> path = bytes[2..];
                int end = path.IndexOf((byte)0);
                return new UnixDomainSocketEndPoint(Encoding.UTF8.GetString(end < 0 ? path : path[..end]));
            default:
                return null;
        }
    }
}
