using KvServer.Resp;
using KvServer.Server.Text;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>Collects what matches of the elements that SSCAN, HSCAN and ZSCAN meet.</summary>
/// <param name="found">Where the reply's items go.</param>
/// <param name="options">The pattern, and whether values are left out.</param>
internal ref struct ScanCollector(ByteStringList found, ScanOptions options)
    : ISetMemberReceiver, IHashFieldReceiver, ISortedSetMemberReceiver
{
    private readonly ReadOnlySpan<byte> _pattern = options.Pattern;
    private readonly bool _matchesAll = options.MatchesAll;
    private readonly bool _withValues = !options.NoValues;

    /// <summary>Elements looked at, matching or not; a member and its score are two.</summary>
    public long Seen { get; private set; }

    /// <inheritdoc/>
    public void Receive(SetMember member)
    {
        Seen++;
        _ = TryAdd(member.AsText(stackalloc byte[IntegerText.MaxLength]));
    }

    /// <inheritdoc/>
    public void Receive(HashField field)
    {
        Seen++;
        Span<byte> scratch = stackalloc byte[IntegerText.MaxLength];
        if (TryAdd(field.Name.AsText(scratch)) && _withValues)
        {
            found.Add(field.Value.AsText(scratch));
        }
    }

    /// <inheritdoc/>
    public void Receive(SortedSetMember member)
    {
        Seen += 2;
        if (TryAdd(member.Member.AsText(stackalloc byte[IntegerText.MaxLength])))
        {
            Span<byte> score = stackalloc byte[Numbers.MaxDoubleChars];
            found.Add(score[..Numbers.FormatDouble(member.Score, score)]);
        }
    }

    /// <inheritdoc/>
    public void Receive(SetMember member, long wholeScore)
    {
        Seen += 2;
        Span<byte> scratch = stackalloc byte[IntegerText.MaxLength];
        if (TryAdd(member.AsText(scratch)))
        {
            found.Add(scratch[..IntegerText.Format(wholeScore, scratch)]); // Never with an exponent, however large.
        }
    }

    private readonly bool TryAdd(scoped ReadOnlySpan<byte> name)
    {
        if (!_matchesAll && !Glob.IsMatch(_pattern, name))
        {
            return false;
        }

        found.Add(name);
        return true;
    }
}
