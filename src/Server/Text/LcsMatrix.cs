using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace KvServer.Server.Text;

/// <summary>The longest common subsequence of two byte strings: its length, and the way back through it.</summary>
/// <remarks>
/// <para>
/// The textbook table holds at row i, column j the length for the first i bytes of A and the first j bytes of B. Along
/// a row it never falls and grows by at most one per column, so a row is stored as one bit per column: 0 where the
/// table grows, 1 where it stays. A whole row then follows from the one before with an addition, 64 columns at a time:
/// </para>
/// <code>
///   M = columns whose byte of B equals the row's byte of A
///   U = row AND M
///   next row = (row + U) OR (row AND NOT M)        (the carry of the addition runs through the whole row)
/// </code>
/// <para>
/// The way back needs to know, at a cell whose bytes differ, whether the cell above is greater than the one to the
/// left. It is just where the row grows at that column, so the stored bits answer that too. Against four bytes per
/// cell this takes a 32nd of the memory and a small part of the time, and gives the same path.
/// </para>
/// <para>Rows come from a pool: dispose to give them back. One thread. The strings must stay valid meanwhile.</para>
/// </remarks>
internal ref struct LcsMatrix : IDisposable
{
    private const int WordBits = 64;
    private readonly ReadOnlySpan<byte> _a;
    private readonly ReadOnlySpan<byte> _b;
    private readonly int _rowWords;
    private readonly bool _keepsRows;
    private ulong[]? _rows;

    private LcsMatrix(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, bool keepRows)
    {
        _a = a;
        _b = b;
        _rowWords = (b.Length + WordBits - 1) / WordBits;
        _keepsRows = keepRows;
        _rows = ArrayPool<ulong>.Shared.Rent(Math.Max(1, keepRows ? checked(_rowWords * a.Length) : _rowWords));
        Length = Fill();
    }

    /// <summary>The length of the longest common subsequence, in bytes.</summary>
    public int Length { get; }

    /// <summary>The length alone. O(a * b / 64) time, b / 8 bytes of memory.</summary>
    public static int LengthOf(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        using LcsMatrix matrix = new(a, b, keepRows: false);
        return matrix.Length;
    }

    /// <summary>Computes the table and keeps it for <see cref="Walk"/>. O(a * b / 64) time, a * b / 8 bytes.</summary>
    /// <exception cref="OverflowException">a * b is over 2^37; callers bound the product long before.</exception>
    public static LcsMatrix Create(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) => new(a, b, keepRows: true);

    /// <summary>Walks the table from its end to its start.</summary>
    /// <param name="subsequence">Receives the common bytes, when it is not empty; <see cref="Length"/> long then.</param>
    /// <param name="ranges">Receives the runs of bytes common to both, the last in the strings first, when not null.</param>
    /// <remarks>O(a + b). Where several subsequences have the same length, the path steps back in B.</remarks>
    public readonly void Walk(Span<byte> subsequence, List<LcsRange>? ranges)
    {
        int i = _a.Length;
        int j = _b.Length;
        int left = subsequence.Length;
        while (i > 0 && j > 0)
        {
            if (_a[i - 1] != _b[j - 1])
            {
                if (Grows(i, j))
                {
                    i--;
                }
                else
                {
                    j--;
                }

                continue;
            }

            int run = 0;
            while (i > 0 && j > 0 && _a[i - 1] == _b[j - 1])
            {
                i--;
                j--;
                run++;
            }

            if (left >= run)
            {
                _a.Slice(i, run).CopyTo(subsequence[(left - run)..]);
                left -= run;
            }

            ranges?.Add(new LcsRange(i, j, run));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_rows is not null)
        {
            ArrayPool<ulong>.Shared.Return(_rows);
            _rows = null;
        }
    }

    /// <summary>True where the table at row i, column j is greater than at column j - 1.</summary>
    private readonly bool Grows(int i, int j)
    {
        int column = j - 1;
        ulong word = _rows![((i - 1) * _rowWords) + (column / WordBits)];
        return ((word >> (column % WordBits)) & 1) == 0;
    }

    private readonly int Fill()
    {
        if (_a.IsEmpty || _b.IsEmpty)
        {
            return 0;
        }

        Span<ulong> previous = _rows.AsSpan(0, _rowWords);
        previous.Fill(ulong.MaxValue);
        for (int i = 0; i < _a.Length; i++)
        {
            Span<ulong> row = _keepsRows ? _rows.AsSpan(i * _rowWords, _rowWords) : previous;
            NextRow(previous, row, _a[i]);
            previous = row;
        }

        int stays = 0;
        foreach (ulong word in previous)
        {
            stays += BitOperations.PopCount(word);
        }

        // Columns after the last byte of B never match, so their bits stay set.
        return (_rowWords * WordBits) - stays;
    }

    private readonly void NextRow(ReadOnlySpan<ulong> previous, Span<ulong> row, byte value)
    {
        ulong carry = 0;
        for (int w = 0; w < row.Length; w++)
        {
            ulong matches = MatchesAt(w * WordBits, value);
            ulong before = previous[w];
            ulong sum = before + carry;
            carry = sum < carry ? 1UL : 0;
            ulong moved = before & matches;
            sum += moved;
            carry |= sum < moved ? 1UL : 0;
            row[w] = sum | (before & ~matches);
        }
    }

    /// <summary>A bit for each of the 64 bytes of B from <paramref name="start"/> on that equals the value.</summary>
    private readonly ulong MatchesAt(int start, byte value)
    {
        ReadOnlySpan<byte> bytes = _b[start..];
        if (bytes.Length >= WordBits)
        {
            Vector256<byte> wanted = Vector256.Create(value);
            ref byte first = ref MemoryMarshal.GetReference(bytes);
            ulong low = Vector256.Equals(Vector256.LoadUnsafe(ref first), wanted).ExtractMostSignificantBits();
            ulong high = Vector256.Equals(Vector256.LoadUnsafe(ref first, 32), wanted).ExtractMostSignificantBits();
            return low | (high << 32);
        }

        ulong matches = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            matches |= (bytes[i] == value ? 1UL : 0) << i;
        }

        return matches;
    }
}
