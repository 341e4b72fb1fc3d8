using System.Runtime.CompilerServices;
using KvServer.Resp;
using KvServer.Server.Commands;
using KvServer.Storage;

namespace KvServer.Server.Observability;

/// <summary>Which keys are asked for most, and which send most bytes: the counting behind HOTKEYS.</summary>
/// <remarks>
/// <para>A call costs two subtractions and a branch. Every 32nd call on average, and every 16 KB of replies, the keys of the
/// call at hand are counted for all that went by. The distance to the next is drawn anew each time, so that no pattern of
/// calls keeps step with it. A reply of more than 16 KB never goes by unnoticed. The first calls and bytes are
/// counted one by one and the next ones in shorter steps, so that a server with little to do gives exact figures.</para>
/// <para>A call that names many keys counts for each of them; of more than eight some are chosen by lot and stand for the
/// others, so that no call pays for its number of keys. What it replied is shared out between its keys.</para>
/// <para>Allocates nothing in steady state. Command loop only.</para>
/// </remarks>
internal sealed class KeyTraffic
{
    private const int MaxKeysPerCall = 8;
    private const int CallStep = 32;
    private const int FirstCallStep = 8;
    private const int ByteStep = 16 * 1024;
    private const int FirstByteStep = 1024;
    private const int ExactSteps = 256; // As long as so many of the first step would be, all is counted.
    private const int FirstSteps = 8192; // And as long as so many, the first step is used.
    private const int ChanceSteps = 10; // Three deviations of as many samples are nearly all of them.

    private readonly HeavyKeys _byCalls = new();
    private readonly HeavyKeys _byBytes = new();
    private readonly TimeProvider _clock;
    private readonly List<int> _positions = [];
    private ulong _random = (ulong)Random.Shared.NextInt64() | 1;
    private int _callStep = 1;
    private int _byteStep = 1;
    private long _callsLeft = 1;
    private long _bytesLeft = 1;
    private long _secondEndsAtMs;

    /// <summary>Counts from now on.</summary>
    public KeyTraffic(TimeProvider clock)
    {
        _clock = clock;
        SinceMs = clock.GetUtcNow().ToUnixTimeMilliseconds();
    }

    /// <summary>Whether calls are counted.</summary>
    public bool IsOn { get; private set; } = true;

    /// <summary>Since when, in ms since the Unix epoch.</summary>
    public long SinceMs { get; private set; }

    /// <summary>Calls counted, once for each key they name.</summary>
    public long Calls => _byCalls.Total;

    /// <summary>Bytes of replies counted.</summary>
    public long Bytes => _byBytes.Total;

    /// <summary>Makes the lot the same each time, for tests.</summary>
    internal ulong Seed
    {
        set => _random = value | 1;
    }

    /// <summary>Counts a call that has replied. Call it only while <see cref="IsOn"/> and for commands that name keys.</summary>
    /// <param name="ctx">The call.</param>
    /// <param name="replyBytes">Bytes of its reply.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Note(CommandContext ctx, long replyBytes)
    {
        _callsLeft--;
        _bytesLeft -= replyBytes;
        if (_callsLeft <= 0 || _bytesLeft <= 0)
        {
            Sample(ctx);
        }
    }

    /// <summary>Counts bytes of a reply that go out later than its call.</summary>
    /// <param name="keyspace">The keyspace.</param>
    /// <param name="database">Where the key is.</param>
    /// <param name="name">The key that they are of.</param>
    /// <param name="replyBytes">How many.</param>
    public void NoteMore(Keyspace keyspace, Database database, ReadOnlySpan<byte> name, long replyBytes)
    {
        _bytesLeft -= replyBytes;
        if (_bytesLeft <= 0)
        {
            int byteStep = _byteStep;
            Count(database, keyspace.KeyOf(name), calls: 0, TakeBytes(), callVariance: 0, byteStep * (byteStep - 1.0));
        }
    }

    /// <summary>The keys that most calls have named, busiest first, without those that chance alone may have put there.</summary>
    public List<HeavyKey> ByCalls(int count) => _byCalls.Top(count, leastAmount: _callStep == 1 ? 0 : ChanceSteps * _callStep);

    /// <summary>The keys whose calls were replied to with most bytes, likewise.</summary>
    public List<HeavyKey> ByBytes(int count) => _byBytes.Top(count, leastAmount: _byteStep == 1 ? 0 : ChanceSteps * _byteStep);

    /// <summary>Begins again with nothing counted.</summary>
    public void Reset()
    {
        _byCalls.Reset();
        _byBytes.Reset();
        SinceMs = _clock.GetUtcNow().ToUnixTimeMilliseconds();
        _callStep = 1;
        _byteStep = 1;
        _callsLeft = 1;
        _bytesLeft = 1;
    }

    /// <summary>Begins or stops to count; what was counted is forgotten.</summary>
    public void Switch(bool on)
    {
        if (IsOn != on)
        {
            IsOn = on;
            Reset();
        }
    }

    /// <summary>Lets time pass. Called by the cron, some times a second.</summary>
    /// <param name="monotonicMs">A clock that never steps back.</param>
    public void Tick(long monotonicMs)
    {
        if (IsOn && monotonicMs >= _secondEndsAtMs)
        {
            _secondEndsAtMs = monotonicMs + 1000;
            _byCalls.SecondPassed();
            _byBytes.SecondPassed();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Sample(CommandContext ctx)
    {
        long calls = 0;
        if (_callsLeft <= 0)
        {
            calls = _callStep;
            _callStep = StepAfter(_byCalls.Total, FirstCallStep, CallStep);
            _callsLeft = Distance(_callStep);
        }

        long bytes = 0;
        int byteStep = _byteStep;
        if (_bytesLeft <= 0)
        {
            bytes = TakeBytes();
        }

        Command command = ctx.Command;
        Arguments args = ctx.Args;
        if (!command.NamesOneKey)
        {
            CountSeveral(ctx, args, calls, bytes, byteStep);
        }
        else if (command.FirstKey < args.Count)
        {
            Count(ctx.Database, ctx.Key(command.FirstKey), calls, bytes, calls * (calls - 1.0), byteStep * (byteStep - 1.0));
        }
    }

    // What the bytes since the last lot stand for, and the distance to the next one.
    private long TakeBytes()
    {
        long behind = -_bytesLeft;
        long bytes = _byteStep * (1 + (behind / _byteStep));
        long rest = behind % _byteStep;
        _byteStep = StepAfter(_byBytes.Total + bytes, FirstByteStep, ByteStep);
        _bytesLeft = Distance(_byteStep) - rest;
        while (_bytesLeft <= 0)
        {
            bytes += _byteStep;
            _bytesLeft += Distance(_byteStep);
        }

        return bytes;
    }

    private void CountSeveral(CommandContext ctx, Arguments args, long calls, long bytes, int byteStep)
    {
        if (!ctx.Command.TryFindKeys(args, _positions))
        {
            return;
        }

        int count = _positions.Count;
        int chosen = Math.Min(count, MaxKeysPerCall);
        for (int i = 0; i < chosen; i++)
        {
            int position = _positions[chosen == count ? i : Draw(count)];
            long ownCalls = calls * count / chosen;
            long ownBytes = bytes / chosen;
            Count(
                ctx.Database,
                ctx.Key(position),
                ownCalls,
                ownBytes,
                chosen == count ? calls * (calls - 1.0) : (double)ownCalls * ownCalls,
                chosen == count ? byteStep * (byteStep - 1.0) / count / count : (double)ownBytes * ownBytes);
        }
    }

    private void Count(Database database, Key key, long calls, long bytes, double callVariance, double byteVariance)
    {
        if (calls > 0)
        {
            _byCalls.Add(database.Index, key.Bytes, key.Hash, calls, callVariance);
        }

        if (bytes > 0)
        {
            _byBytes.Add(database.Index, key.Bytes, key.Hash, bytes, byteVariance);
        }
    }

    private static int StepAfter(long total, int first, int last) =>
        total < (long)ExactSteps * first ? 1 : total < (long)FirstSteps * first ? first : last;

    // From 1 to 2 * mean - 1.
    private long Distance(int mean) => 1 + Draw((2 * mean) - 1);

    // From 0 to below the bound; xorshift, whose upper half is good enough for a lot.
    private int Draw(int bound)
    {
        _random ^= _random << 13;
        _random ^= _random >> 7;
        _random ^= _random << 17;
        return (int)((_random >> 32) * (ulong)bound >> 32);
    }
}
