using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>A handle to one set: the value of a key, or a set being built that belongs to no key yet.</summary>
/// <remarks>
/// <para>A set has one of three encodings and only ever moves down this list, except for results that turn out to be
/// all integers (<see cref="PreferIntegers"/>):</para>
/// <code>
/// intset      sorted integers, inside the entry                  while all are integers and few
/// listpack    members one after the other, inside the entry      while few and all short
/// hashtable   a dict with one block per member                   otherwise
/// </code>
/// <para>The limits come with the handle, so a change of configuration counts from the next change of a set on. What
/// a member looked like is not kept: "7" is the integer 7 in the packed encodings and text in the dict.</para>
/// <para>Get one from <see cref="Database"/> for a key, where it is valid until something else changes the database,
/// or from <see cref="Create"/>, and then dispose it unless a key has adopted it. Every look-up, insert and delete on
/// a hash table first moves its rehash on by one bucket. A call that runs out of memory leaves the set as it was.
/// Command loop only.</para>
/// </remarks>
public unsafe ref partial struct SetValue : IMemberCollection
{
    private readonly SetLimits _limits;
    private readonly Keyspace _keyspace;
    private readonly Database? _database;
    private Entry _entry;
    private DictState* _table;
    private Span<byte> _bytes;
    private byte* _block;
    private int _blockBytes;
    private bool _hasPick;
    private int _picked;
    private byte* _pickedEntry;

    /// <summary>How the set is stored.</summary>
    public ValueEncoding Encoding { get; private set; }

    /// <summary>Number of members.</summary>
    public readonly long Count => Encoding switch
    {
        ValueEncoding.IntSet => new IntSet(_bytes).Count,
        ValueEncoding.PackedList => new PackedList(_bytes).Count,
        _ => Members.Count,
    };

    /// <summary>The name OBJECT ENCODING shows.</summary>
    public readonly ReadOnlySpan<byte> EncodingName => Encoding switch
    {
        ValueEncoding.IntSet => "intset"u8,
        ValueEncoding.PackedList => "listpack"u8,
        _ => "hashtable"u8,
    };

    /// <summary>The bytes of a packed set as they stand in snapshots and dumps; empty for a hash table.</summary>
    public readonly ReadOnlySpan<byte> PackedBytes => Encoding switch
    {
        ValueEncoding.IntSet => _bytes[..new IntSet(_bytes).LengthBytes],
        ValueEncoding.PackedList => new PackedList(_bytes).Bytes,
        _ => default,
    };

    /// <summary>Sizes and fill of the tables of a set that has some; zeros for a packed one.</summary>
    public readonly DictFigures Figures => Encoding != ValueEncoding.HashTable
        ? default
        : new DictFigures(
            Members.BucketCountOf(0),
            Members.UsedOf(0),
            Members.BucketCountOf(1),
            Members.UsedOf(1),
            Members.RehashIndex,
            _keyspace.MemberRuntime.Statistics);

    /// <summary>The dict of a set that has one.</summary>
    internal readonly Dict<MemberLayout> Members => new(_table, _keyspace.MemberRuntime);

    /// <summary>The list of a set that is one.</summary>
    internal readonly PackedList Packed => new(_bytes);

    /// <summary>True when the text is a member. O(1), or O(members) for a packed list.</summary>
    public readonly bool Contains(ReadOnlySpan<byte> member)
    {
        if (Encoding == ValueEncoding.HashTable)
        {
            return Members.Find(_keyspace.HashOf(member), member) != null;
        }

        if (Encoding == ValueEncoding.IntSet)
        {
            return IntegerText.TryParse(member, out long integer) && new IntSet(_bytes).Contains(integer);
        }

        PackedList list = new(_bytes);
        return list.Find(PackedElement.Of(member), list.First) != PackedList.None;
    }

    /// <summary>True when a member of another set is one of this set too.</summary>
    public readonly bool Contains(SetMember member)
    {
        switch (Encoding)
        {
            case ValueEncoding.IntSet:
                return member.TryGetInteger(out long integer) && new IntSet(_bytes).Contains(integer);
            case ValueEncoding.PackedList:
                PackedList list = new(_bytes);
                return list.Find(member.AsElement(), list.First) != PackedList.None;
            default:
                ReadOnlySpan<byte> text = member.AsText(stackalloc byte[IntegerText.MaxLength]);
                return Members.Find(member.HashOf(text, _keyspace), text) != null;
        }
    }

    /// <summary>Adds a member.</summary>
    /// <returns>False when it was one already.</returns>
    public bool Add(ReadOnlySpan<byte> member) => Encoding == ValueEncoding.HashTable
        ? AddToTable(member, _keyspace.HashOf(member))
        : Add(SetMember.OfBytes(member));

    /// <summary>Adds a member, which may come from another set but must not lie in this one.</summary>
    /// <returns>False when it was one already.</returns>
    public bool Add(SetMember member)
    {
        switch (Encoding)
        {
            case ValueEncoding.IntSet:
                return member.TryGetInteger(out long integer) ? AddInteger(integer) : AddTextToIntegers(member);
            case ValueEncoding.PackedList:
                return AddToList(member);
            default:
                ReadOnlySpan<byte> text = member.AsText(stackalloc byte[IntegerText.MaxLength]);
                return AddToTable(text, member.HashOf(text, _keyspace));
        }
    }

    /// <summary>Removes a member. A key whose set is empty afterwards must be deleted by the caller.</summary>
    /// <returns>False when it was none.</returns>
    public bool Remove(ReadOnlySpan<byte> member) => Encoding == ValueEncoding.HashTable
        ? RemoveFromTable(member, _keyspace.HashOf(member))
        : Remove(SetMember.OfBytes(member));

    /// <summary>Removes a member that was met in another set.</summary>
    /// <returns>False when it was none.</returns>
    public bool Remove(SetMember member)
    {
        switch (Encoding)
        {
            case ValueEncoding.IntSet:
                if (!member.TryGetInteger(out long integer) || !new IntSet(_bytes).TryFind(integer, out int index))
                {
                    return false;
                }

                RemoveInteger(index);
                return true;
            case ValueEncoding.PackedList:
                PackedList list = new(_bytes);
                int position = list.Find(member.AsElement(), list.First);
                if (position == PackedList.None)
                {
                    return false;
                }

                RemoveElement(position);
                return true;
            default:
                ReadOnlySpan<byte> text = member.AsText(stackalloc byte[IntegerText.MaxLength]);
                return RemoveFromTable(text, member.HashOf(text, _keyspace));
        }
    }

    /// <summary>Prepares for a number of members that are about to be added: a packed set that could not hold them is
    /// turned into a hash table of the right size at once, not half-way.</summary>
    public void Prepare(long memberCount)
    {
        long limit = Encoding switch
        {
            ValueEncoding.IntSet => _limits.IntSetEntries,
            ValueEncoding.PackedList => _limits.PackedEntries,
            _ => long.MaxValue,
        };
        if (memberCount > limit)
        {
            ConvertToTable(memberCount);
        }
    }

    /// <summary>Walks over all members.</summary>
    public readonly SetEnumerator GetEnumerator() => new(Encoding, _bytes, _table);

    /// <summary>Goes on with a walk over all members, behind the place where it stood.</summary>
    /// <param name="place">Of an enumerator of this set, which has not changed since.</param>
    public readonly SetEnumerator WalkFrom(WalkPlace place) => new(Encoding, _bytes, _table, place);

    /// <summary>Walks over <paramref name="count"/> members chosen at random, none twice; all of them when there are
    /// no more.</summary>
    public readonly SetSample Sample(long count) => new(in this, count, _keyspace.Random);

    /// <summary>Chooses a member at random, each with (nearly, in a hash table) the same chance.</summary>
    /// <remarks>The set must not be empty. O(1), or O(members) for a packed list.</remarks>
    public SetMember PickRandom()
    {
        Random random = _keyspace.Random;
        _hasPick = true;
        switch (Encoding)
        {
            case ValueEncoding.IntSet:
                IntSet integers = new(_bytes);
                _picked = random.Next(integers.Count);
                return SetMember.OfInteger(integers[_picked]);
            case ValueEncoding.PackedList:
                PackedList list = new(_bytes);
                _picked = list.PositionAt(random.Next(list.Count));
                return SetMember.Of(list[_picked]);
            default:
                _pickedEntry = Members.FindFairRandom(random);
                return SetMember.OfBytes(MemberLayout.BytesOf(_pickedEntry), EntryLink.Hash(_pickedEntry));
        }
    }

    /// <summary>Removes the member that <see cref="PickRandom"/> chose last, without looking for it again. The set must
    /// not have changed in between.</summary>
    public void RemovePicked()
    {
        Debug.Assert(_hasPick, "A member was picked before.");
        _hasPick = false;
        switch (Encoding)
        {
            case ValueEncoding.IntSet:
                RemoveInteger(_picked);
                break;
            case ValueEncoding.PackedList:
                RemoveElement(_picked);
                break;
            default:
                TakeOut(_pickedEntry);
                break;
        }
    }

    /// <summary>Visits the members at a cursor and hands them to a receiver.</summary>
    /// <returns>The next cursor; 0 when all have been visited. A packed set is visited whole.</returns>
    /// <remarks>See <see cref="Dict{TLayout}.Scan"/> for what is guaranteed across resizes.</remarks>
    public readonly ulong Scan<TReceiver>(ulong cursor, ref TReceiver receiver)
        where TReceiver : struct, ISetMemberReceiver, allows ref struct
    {
        if (Encoding == ValueEncoding.HashTable)
        {
            return Members.Scan<nint, TReceiver, ScanAction<TReceiver>>(cursor, 0, ref receiver);
        }

        foreach (SetMember member in this)
        {
            receiver.Receive(member);
        }

        return 0;
    }

    /// <summary>Makes a set that is all integers an intset if it is small enough for one.</summary>
    /// <remarks>For results of set operations, which are built without knowing what they will hold. O(members).</remarks>
    public void PreferIntegers()
    {
        long count = Count;
        if (Encoding == ValueEncoding.IntSet || count > _limits.IntSetEntries)
        {
            return;
        }

        foreach (SetMember member in this)
        {
            if (!member.TryGetInteger(out _))
            {
                return;
            }
        }

        ConvertToIntegers();
    }

    private bool AddInteger(long value)
    {
        IntSet integers = new(_bytes);
        if (integers.TryFind(value, out int index))
        {
            return false;
        }

        if (integers.Count >= _limits.IntSetEntries)
        {
            ConvertToTable(integers.Count + 1L);
            return Add(SetMember.OfInteger(value));
        }

        Reserve(integers.SizeWith(value));
        new IntSet(_bytes).Add(value, index);
        return true;
    }

    /// <summary>A set of integers meets a member that is none: a list if all of it may go there, else a dict.</summary>
    private bool AddTextToIntegers(SetMember member)
    {
        IntSet integers = new(_bytes);
        int count = integers.Count;
        int longest = count == 0
            ? 0
            : Math.Max(IntegerText.LengthOf(integers.Min), IntegerText.LengthOf(integers.Max));
        if (count < _limits.PackedEntries && Math.Max(longest, member.Bytes.Length) <= _limits.PackedValueBytes)
        {
            ConvertToList();
        }
        else
        {
            ConvertToTable(count + 1L);
        }

        return Add(member);
    }

    private bool AddToList(SetMember member)
    {
        PackedList list = new(_bytes);
        PackedElement element = member.AsElement();
        if (list.Find(element, list.First) != PackedList.None)
        {
            return false;
        }

        int textBytes = member.IsInteger ? IntegerText.LengthOf(member.Integer) : member.Bytes.Length;
        int count = list.Count;
        long size = (long)list.LengthBytes + PackedList.SizeOf(element);
        if (count >= _limits.PackedEntries || textBytes > _limits.PackedValueBytes || size > PackedList.MaxBytes)
        {
            ConvertToTable(count + 1L);
            return Add(member);
        }

        Reserve((int)size);
        new PackedList(_bytes).Append(element);
        return true;
    }

    private readonly bool AddToTable(ReadOnlySpan<byte> text, ulong hash)
    {
        Dict<MemberLayout> members = Members;
        if (members.Find(hash, text) != null)
        {
            return false;
        }

        BeforeChange();
        members.EnsureTable(); // Before there is a member that could leak.
        members.Add(MemberLayout.Create(_keyspace.MemberRuntime, hash, text));
        return true;
    }

    private void RemoveInteger(int index)
    {
        BeforeChange();
        IntSet integers = new(_bytes);
        integers.RemoveAt(index);
        Trim(integers.LengthBytes);
    }

    private void RemoveElement(int position)
    {
        BeforeChange();
        PackedList list = new(_bytes);
        list.Remove(position);
        Trim(list.LengthBytes);
    }

    private readonly bool RemoveFromTable(ReadOnlySpan<byte> text, ulong hash)
    {
        byte* entry = Members.Find(hash, text);
        if (entry == null)
        {
            return false;
        }

        TakeOut(entry);
        return true;
    }

    private readonly void TakeOut(byte* entry)
    {
        BeforeChange();
        if (_keyspace.Snapshot is { } cut)
        {
            cut.BeforeElementChange(_table, entry);
        }

        Members.Unlink(entry);
        MemberLayout.Free(_keyspace.Heap, entry, FreeFrom.CommandLoop);
        if (Members.WantsShrink)
        {
            Members.TryShrink();
        }
    }

    // The snapshot that is being taken wants to see a key's set as it was at the cut.
    private readonly void BeforeChange()
    {
        if (_database is not null)
        {
            _database.BeforeChange(_entry.Block);
        }
    }

    private readonly struct ScanAction<TReceiver> : IEntryAction<nint, TReceiver>
        where TReceiver : struct, ISetMemberReceiver, allows ref struct
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Visit(nint context, ref TReceiver state, byte* entry) =>
            state.Receive(SetMember.OfBytes(MemberLayout.BytesOf(entry), EntryLink.Hash(entry)));
    }
}
