using System.Runtime.InteropServices;

namespace KvServer.Server.Net;

/// <summary>The Linux system calls the event loop is made of, as plain imports with their constants.</summary>
/// <remarks>
/// The only unsafe code outside Storage is here and in <see cref="Epoll"/> and <see cref="LinuxSocket"/>. The imports
/// take pointers and integers alone, so no marshalling happens; errno is read with
/// <see cref="Marshal.GetLastSystemError"/> right after a call that failed, which spares the successful calls the
/// bookkeeping of SetLastError.
/// </remarks>
internal static unsafe partial class Libc
{
    internal const int EINTR = 4;
    internal const int EAGAIN = 11;
    internal const int ENOMEM = 12;
    internal const int ENFILE = 23;
    internal const int EMFILE = 24;
    internal const int EPROTO = 71;
    internal const int ECONNABORTED = 103;
    internal const int ENOBUFS = 105;

    internal const uint EPOLLIN = 0x1;
    internal const uint EPOLLOUT = 0x4;
    internal const uint EPOLLERR = 0x8;
    internal const uint EPOLLHUP = 0x10;
    internal const uint EPOLLRDHUP = 0x2000;

    internal const int EPOLL_CTL_ADD = 1;
    internal const int EPOLL_CTL_DEL = 2;
    internal const int EPOLL_CTL_MOD = 3;
    internal const int EPOLL_CLOEXEC = 0x80000;

    internal const int SOCK_NONBLOCK = 0x800;
    internal const int SOCK_CLOEXEC = 0x80000;
    internal const int EFD_NONBLOCK = 0x800;
    internal const int EFD_CLOEXEC = 0x80000;
    internal const int MSG_NOSIGNAL = 0x4000;

    internal const int SOL_SOCKET = 1;
    internal const int SO_KEEPALIVE = 9;
    internal const int IPPROTO_TCP = 6;
    internal const int TCP_NODELAY = 1;
    internal const int TCP_KEEPIDLE = 4;
    internal const int TCP_KEEPINTVL = 5;
    internal const int TCP_KEEPCNT = 6;

    internal const int AF_UNIX = 1;
    internal const int AF_INET = 2;
    internal const int AF_INET6 = 10;

    internal const int RLIMIT_NOFILE = 7;

    /// <summary>One piece of a gathered write.</summary>
    internal struct IoVector
    {
        public byte* Base;
        public nuint Length;
    }

    /// <summary>struct msghdr of 64-bit Linux.</summary>
    internal struct MessageHeader
    {
        public void* Name;
        public uint NameLength;
        public IoVector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }

    /// <summary>struct rlimit.</summary>
    internal struct ResourceLimit
    {
        public ulong Soft;
        public ulong Hard;
    }

    [LibraryImport("libc", EntryPoint = "epoll_create1")]
    internal static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl")]
    internal static partial int EpollControl(int epoll, int operation, int fd, byte* epollEvent);

    [LibraryImport("libc", EntryPoint = "epoll_wait")]
    internal static partial int EpollWait(int epoll, byte* events, int maxEvents, int timeoutMs);

    [LibraryImport("libc", EntryPoint = "accept4")]
    internal static partial int Accept(int fd, byte* address, uint* addressLength, int flags);

    [LibraryImport("libc", EntryPoint = "getsockname")]
    internal static partial int GetSocketName(int fd, byte* address, uint* addressLength);

    [LibraryImport("libc", EntryPoint = "recv")]
    internal static partial nint Receive(int fd, byte* buffer, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "send")]
    internal static partial nint Send(int fd, byte* buffer, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "sendmsg")]
    internal static partial nint SendMessage(int fd, MessageHeader* message, int flags);

    [LibraryImport("libc", EntryPoint = "setsockopt")]
    internal static partial int SetSocketOption(int fd, int level, int option, int* value, uint valueLength);

    [LibraryImport("libc", EntryPoint = "close")]
    internal static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "eventfd")]
    internal static partial int EventFd(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "read")]
    internal static partial nint Read(int fd, byte* buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "write")]
    internal static partial nint Write(int fd, byte* buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "umask")]
    internal static partial uint SetFileMask(uint forbidden);

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    internal static partial int GetResourceLimit(int resource, ResourceLimit* limit);
}
