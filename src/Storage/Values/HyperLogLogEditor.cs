using System.Diagnostics;

namespace KvServer.Storage;

/// <summary>Raises registers of a sketch that lies in a buffer with room to grow, and makes it dense when it has to be.</summary>
/// <remarks>
/// <para>A copy is edited, so that a caller changes the store once, with all that a command brought, or not at all.
/// What comes out is the bytes the reference server would have, so each step is fixed by it: a run is split where a
/// register is raised, and then equal neighbours are joined from the run before it on, looking at five runs.</para>
/// <code>
/// zeros 10 | 3 x2 | zeros 4        raise register 12 to 3
/// zeros 10 | 3 x2 | 3 x1 | zeros 3
/// zeros 10 | 3 x3 | zeros 3
/// </code>
/// <para>The search for a register begins a little before the last change where that helps: raising all registers in
/// ascending order takes O(registers) steps besides moving bytes.</para>
/// </remarks>
public ref struct HyperLogLogEditor
{
    /// <summary>Bytes the buffer needs.</summary>
    public const int BufferBytes = HyperLogLog.MaxSparseBytes;

    private const int None = -1;
    private const int JoinSteps = 5;
    private const int MostRunBytes = 5;

    private readonly Span<byte> _buffer;
    private readonly long _maxSparseBytes;
    private int _startAt = HyperLogLog.HeaderBytes;
    private int _startCovered;

    /// <summary>Edits a sketch.</summary>
    /// <param name="buffer">Of <see cref="BufferBytes"/> at least; the sketch lies at its start.</param>
    /// <param name="length">Bytes of the sketch, which must be valid and sound.</param>
    /// <param name="maxSparseBytes">A sketch that would grow beyond this becomes dense (hll-sparse-max-bytes).</param>
    public HyperLogLogEditor(Span<byte> buffer, int length, long maxSparseBytes)
    {
        Debug.Assert(buffer.Length >= BufferBytes, "The largest sketch has room.");
        _buffer = buffer;
        _maxSparseBytes = maxSparseBytes;
        Length = length;
    }

    /// <summary>Bytes of the sketch at the start of the buffer.</summary>
    public int Length { get; private set; }

    /// <summary>The sketch.</summary>
    public readonly Span<byte> Bytes => _buffer[..Length];

    /// <summary>Raises a register to a rank.</summary>
    /// <returns>Whether it was lower.</returns>
    /// <remarks>O(1) in a dense sketch, O(runs) in a sparse one.</remarks>
    public bool Raise(int index, byte rank)
    {
        if (HyperLogLog.EncodingOf(_buffer) == HyperLogLogEncoding.Sparse)
        {
            if (rank <= HyperLogLogSparse.MaxRank && TryRaiseSparse(index, rank, out bool isRaised))
            {
                return isRaised;
            }

            MakeDense();
        }

        return HyperLogLogDense.Raise(_buffer[HyperLogLog.HeaderBytes..HyperLogLog.DenseBytes], index, rank);
    }

    /// <summary>Raises all registers to those of a byte each. O(registers).</summary>
    public void RaiseAll(scoped ReadOnlySpan<byte> ranks)
    {
        for (int i = 0; i < ranks.Length; i++)
        {
            if (ranks[i] != 0)
            {
                Raise(i, ranks[i]);
            }
        }
    }

    /// <summary>Makes a sparse sketch dense. O(registers).</summary>
    public void MakeDense()
    {
        Span<byte> ranks = stackalloc byte[HyperLogLog.RegisterCount];
        ranks.Clear();
        bool isSound = HyperLogLog.TryMergeInto(ranks, Bytes);
        Debug.Assert(isSound, "The sketch was sound and stays so.");
        HyperLogLog.MarkDense(_buffer);
        HyperLogLogDense.Pack(ranks, _buffer[HyperLogLog.HeaderBytes..HyperLogLog.DenseBytes]);
        Length = HyperLogLog.DenseBytes;
    }

    /// <summary>Raises a register of a sparse sketch.</summary>
    /// <returns><see langword="false"/> if the sketch would become too large; nothing has changed.</returns>
    private bool TryRaiseSparse(int index, byte rank, out bool isRaised)
    {
        isRaised = false;
        Place place = Find(index);
        HyperLogLogRun run = place.Run;
        if (run.Rank >= rank)
        {
            return true;
        }

        Span<byte> split = stackalloc byte[MostRunBytes];
        int before = index - place.Covered;
        int after = run.Length - 1 - before;
        int length = WriteRun(split, run.Rank, before);
        length += HyperLogLogSparse.WriteValue(split[length..], rank, 1);
        length += WriteRun(split[length..], run.Rank, after);
        int growth = length - run.Bytes;
        if (growth > 0 && Length + growth > _maxSparseBytes)
        {
            return false;
        }

        int next = place.At + run.Bytes;
        _buffer[next..Length].CopyTo(_buffer[(next + growth)..]);
        split[..length].CopyTo(_buffer[place.At..]);
        Length += growth;
        Join(place.Before == None ? HyperLogLog.HeaderBytes : place.Before);
        _startAt = place.Start;
        _startCovered = place.StartCovered;
        isRaised = true;
        return true;
    }

    /// <summary>Joins neighbours of the same rank, as far as a run can hold them.</summary>
    private void Join(int at)
    {
        for (int step = 0; step < JoinSteps && at < Length; step++)
        {
            byte first = _buffer[at];
            if (HyperLogLogSparse.IsValue(first) && at + 1 < Length && HyperLogLogSparse.IsValue(_buffer[at + 1]))
            {
                HyperLogLogRun left = ReadRun(at);
                HyperLogLogRun right = ReadRun(at + 1);
                if (left.Rank == right.Rank && left.Length + right.Length <= HyperLogLogSparse.MaxValueRun)
                {
                    HyperLogLogSparse.WriteValue(_buffer[(at + 1)..], left.Rank, left.Length + right.Length);
                    _buffer[(at + 1)..Length].CopyTo(_buffer[at..]);
                    Length--;
                    continue; // The joined run may be joined with the one to its right.
                }
            }

            at += ReadRun(at).Bytes;
        }
    }

    private readonly Place Find(int index)
    {
        bool isNear = index >= _startCovered && _startAt != HyperLogLog.HeaderBytes;
        return isNear && TryFind(index, _startAt, _startCovered, out Place place)
            ? place
            : TryFind(index, HyperLogLog.HeaderBytes, 0, out place) ? place : throw Unsound();
    }

    /// <summary>Finds the run that holds a register.</summary>
    /// <param name="index">The register's.</param>
    /// <param name="at">A run to begin with.</param>
    /// <param name="covered">Registers before that.</param>
    /// <param name="place">Where it is.</param>
    /// <returns><see langword="false"/> if it is the very first run looked at, though there are runs before it: which one
    /// comes before it has to be known.</returns>
    private readonly bool TryFind(int index, int at, int covered, out Place place)
    {
        int begin = at;
        place = new Place { Before = None, Start = at, StartCovered = covered };
        int beforeCovered = 0;
        while (HyperLogLogSparse.TryRead(Bytes, at, covered, out HyperLogLogRun run))
        {
            if (index < covered + run.Length)
            {
                place.At = at;
                place.Covered = covered;
                place.Run = run;
                return at != begin || begin == HyperLogLog.HeaderBytes;
            }

            if (place.Before != None)
            {
                place.Start = place.Before;
                place.StartCovered = beforeCovered;
            }

            place.Before = at;
            beforeCovered = covered;
            at += run.Bytes;
            covered += run.Length;
        }

        return false;
    }

    private readonly HyperLogLogRun ReadRun(int at)
    {
        bool isRead = HyperLogLogSparse.TryRead(Bytes, at, 0, out HyperLogLogRun run);
        Debug.Assert(isRead, "The sketch was sound and stays so.");
        return run;
    }

    private static int WriteRun(Span<byte> target, byte rank, int length) => rank == 0
        ? HyperLogLogSparse.WriteZeros(target, length)
        : HyperLogLogSparse.WriteValue(target, rank, length);

    private static InvalidOperationException Unsound() => new("The runs of a sketch do not hold all registers.");

    /// <summary>A run with what lies before it.</summary>
    private struct Place
    {
        /// <summary>Where the run begins in the buffer.</summary>
        public int At;

        /// <summary>Registers before the run.</summary>
        public int Covered;

        /// <summary>The run before it, or none.</summary>
        public int Before;

        /// <summary>Where a later search may begin, because the change leaves it where it is: the run before that one, or
        /// where this search began.</summary>
        public int Start;

        /// <summary>Registers before that one.</summary>
        public int StartCovered;

        /// <summary>The run itself.</summary>
        public HyperLogLogRun Run;
    }
}
