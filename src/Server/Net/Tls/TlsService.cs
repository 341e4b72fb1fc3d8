using System.Globalization;
using System.Net;
using System.Security.Authentication;
using KvServer.Server.Config;
using Microsoft.Extensions.Logging;

namespace KvServer.Server.Net.Tls;

/// <summary>The certificates in use, kept in step with the options and with the files.</summary>
/// <remarks>A timer looks at the files once a second on a pool thread; whatever fails leaves the last good
/// certificates in place and a line in the log, and is tried again, since what was wrong need not show on the files: their
/// permissions, say. Handshakes take what is current when they begin.</remarks>
internal sealed class TlsService(TimeProvider clock, ILogger log) : IDisposable
{
    /// <summary>Why a handshake was cut off: it took too long.</summary>
    internal const string TimedOut = "handshake timeout";

    /// <summary>Why a handshake was cut off: it made room for another.</summary>
    internal const string TooMany = "too many handshakes";

    /// <summary>Why a handshake was cut off: nothing is served any more.</summary>
    internal const string Stopping = "the server stops";

    private const int LookIntervalMs = 1000;
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan WarningTime = TimeSpan.FromDays(30);
    private static readonly TimeSpan WarningInterval = TimeSpan.FromDays(1);

    private readonly Lock _lock = new();
    private readonly LogInterval _failureLog = new(1000);
    private readonly Dictionary<(string Which, DateTimeOffset ExpiresAt), DateTimeOffset> _warnedAt = [];
    private TlsCredentials? _current;
    private TlsOptions? _options;
    private string _stamp = ""; // Of what is in use.
    private string? _failedStamp; // Of what could not be used the last time; null when all is well.
    private string _failure = "";
    private long _failedAt;
    private ITimer? _timer;
    private long _handshakeFailures;
    private long _pendingHandshakes;
    private long _reloads;
    private long _reloadFailures;

    /// <summary>How long a client may take for its handshake, in ms. Set before anything listens.</summary>
    internal int HandshakeTimeoutMs { get; set; } = 10_000;

    /// <summary>Handshakes under way at most; further ones wait. Set before anything listens.</summary>
    /// <remarks>One that has begun holds some 135 KB, most of them OpenSSL's: 35 MB for all, before anybody has shown
    /// who they are and outside of what <c>maxmemory</c> counts.</remarks>
    internal int MaxHandshakes { get; set; } = 256;

    /// <summary>How long a handshake may have waited for its client, in ms, while others wait to begin. Set before anything
    /// listens.</summary>
    internal int HandshakePatienceMs { get; set; } = 500;

    /// <summary>Connections that may wait; for one more the oldest handshake that waits for its client is cut off at once.
    /// Set before anything listens.</summary>
    internal int MaxWaitingHandshakes { get; set; } = 1024;

    /// <summary>How long a handshake may have waited for its client, in ms, given how many wait to begin. Any thread.</summary>
    /// <param name="waiting">How many wait where it is looked at.</param>
    /// <param name="shares">In how many places of that kind the limits are shared out.</param>
    internal long PatienceMs(int waiting, int shares) => waiting > MaxWaitingHandshakes / shares ? 0 : HandshakePatienceMs;

    /// <summary>What the next handshake uses; null while TLS was never configured. Any thread.</summary>
    internal TlsCredentials? Current => Volatile.Read(ref _current);

    /// <summary>Handshakes that did not come to a good end. Any thread.</summary>
    internal long HandshakeFailures => Interlocked.Read(ref _handshakeFailures);

    /// <summary>Handshakes that are under way or wait for their turn. Any thread.</summary>
    internal long PendingHandshakes => Interlocked.Read(ref _pendingHandshakes);

    /// <summary>Times that changed files were taken up. Any thread.</summary>
    internal long Reloads => Interlocked.Read(ref _reloads);

    /// <summary>Times that changed files could not be used; another try that fails alike does not count. Any thread.</summary>
    internal long ReloadFailures => Interlocked.Read(ref _reloadFailures);

    /// <summary>Takes the options as they are now. At start-up, or inside the command loop.</summary>
    /// <returns>False when they cannot be used, which the log explains; then nothing has changed.</returns>
    internal bool TryApply(ServerConfig config)
    {
        TlsOptions options = TlsOptions.From(config);
        lock (_lock)
        {
            string stamp;
            try
            {
                stamp = TlsCredentials.Stamp(options); // Before the files are read: a change in between is seen later.
                Volatile.Write(ref _current, TlsCredentials.Load(options));
            }
            catch (TlsException fault)
            {
                Log.TlsFailed(log, fault.Message);
                return false;
            }

            _options = options;
            _stamp = stamp;
            _failedStamp = null;
            WarnOfExpiry();
            TimeSpan interval = TimeSpan.FromMilliseconds(LookIntervalMs);
            _timer ??= clock.CreateTimer(static state => ((TlsService)state!).Look(), this, interval, interval);
        }

        return true;
    }

    /// <summary>Looks whether the files have changed, and takes them up. Any thread; one look at a time.</summary>
    internal void Look()
    {
        if (!_lock.TryEnter())
        {
            return; // The last look is not over: a slow disk must not gather threads.
        }

        try
        {
            if (_options is null)
            {
                return;
            }

            string stamp = TlsCredentials.Stamp(_options);
            if (stamp == _stamp)
            {
                _failedStamp = null;
            }
            else if (stamp != _failedStamp || clock.GetElapsedTime(_failedAt) >= RetryInterval)
            {
                Reload(_options, stamp);
            }

            WarnOfExpiry();
        }
        finally
        {
            _lock.Exit();
        }
    }

    /// <summary>Counts a handshake that begins or waits to. Any thread.</summary>
    internal void HandshakeBegins() => Interlocked.Increment(ref _pendingHandshakes);

    /// <summary>Counts one that ends, and logs a failure, once a second at most. Any thread.</summary>
    /// <param name="remote">The peer.</param>
    /// <param name="failure">What went wrong; null for nothing.</param>
    internal void HandshakeEnds(EndPoint? remote, string? failure)
    {
        Interlocked.Decrement(ref _pendingHandshakes);
        if (failure is null)
        {
            return;
        }

        Interlocked.Increment(ref _handshakeFailures);
        if (_failureLog.TryEnter(Environment.TickCount64))
        {
            Log.HandshakeFailed(log, failure, remote);
        }
    }

    /// <summary>What a failed handshake is told as in the log.</summary>
    internal static string Explain(Exception fault) =>
        fault is AuthenticationException { InnerException: null }
            ? "the client's certificate is missing or not trusted"
            : (fault.InnerException ?? fault).Message.ReplaceLineEndings(" ");

    /// <inheritdoc/>
    public void Dispose() => _timer?.Dispose();

    private void Reload(TlsOptions options, string stamp)
    {
        try
        {
            Volatile.Write(ref _current, TlsCredentials.Load(options));
            _stamp = stamp;
            _failedStamp = null;
            Interlocked.Increment(ref _reloads);
            Log.TlsReloaded(log);
        }
        catch (TlsException fault)
        {
            // A pair that is being replaced may not match for a moment: the next change is looked at again.
            bool isKnown = stamp == _failedStamp && fault.Message == _failure;
            _failedStamp = stamp;
            _failedAt = clock.GetTimestamp();
            if (!isKnown)
            {
                _failure = fault.Message;
                Interlocked.Increment(ref _reloadFailures);
                Log.TlsReloadFailed(log, fault.Message);
            }
        }
    }

    private void WarnOfExpiry()
    {
        if (_current is not { } current)
        {
            return;
        }

        Warn("certificate", current.ExpiresAt);
        if (current.AuthoritiesExpireAt is { } authorities)
        {
            Warn("CA certificate", authorities);
        }
    }

    // Once a day for each certificate, which its end tells from others, however often files and options are read meanwhile.
    private void Warn(string which, DateTimeOffset expiresAt)
    {
        DateTimeOffset now = clock.GetUtcNow();
        if (expiresAt - now > WarningTime
            || (_warnedAt.TryGetValue((which, expiresAt), out DateTimeOffset warnedAt) && now - warnedAt < WarningInterval))
        {
            return;
        }

        foreach (var old in _warnedAt.Where(one => now - one.Value >= WarningInterval).ToList())
        {
            _warnedAt.Remove(old.Key);
        }

        _warnedAt[(which, expiresAt)] = now;
        string when = expiresAt.ToString("u", CultureInfo.InvariantCulture);
        Log.CertificateExpires(log, which, expiresAt <= now ? "has expired" : "expires soon", when);
    }
}
