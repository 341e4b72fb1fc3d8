using System.Buffers.Binary;
using System.Globalization;

namespace KvServer.Storage;

/// <summary>The parts of one collection in a file, one after the other, whatever form it has.</summary>
/// <remarks>
/// <para>Members of lists and sets come alone; of hashes, field and value by turns; of sorted sets, member and score;
/// of hashes whose fields expire, the field's time, field and value, or from a listpack field, value and time. Whoever
/// builds a value of some type sees this sequence and not the dozen forms behind it:</para>
/// <code>
/// plain     count | string | string | ...                    list, set, hash, sorted set
/// packed    one string that holds all of them                ziplist, listpack, intset, zipmap
/// nodes     count | packed | packed | ...                    quicklist
/// </code>
/// <para>Packed strings are validated whole before the first of their parts is returned.</para>
/// </remarks>
internal ref struct RdbElements
{
    // Scores as text: the length says what they are if they are no numbers.
    private const byte NotANumber = 253;
    private const byte PositiveInfinity = 254;
    private const byte NegativeInfinity = 255;

    private readonly RdbInput _input;
    private Span<byte> _packed;
    private Packing _packing;
    private int _at;
    private long _plainLeft;
    private long _nodesLeft;
    private int _turn;
    private int _turns = 1;

    /// <summary>Begins at the first byte of a value.</summary>
    public RdbElements(RdbInput input, RdbType type)
    {
        _input = input;
        Type = type;
        Count = -1;
    }

    private enum Packing : byte
    {
        None,
        ListPack,
        ZipList,
        ZipMap,
        IntSet,
        Single,
    }

    /// <summary>Type and form.</summary>
    public readonly RdbType Type { get; }

    /// <summary>Where the bytes come from.</summary>
    public readonly RdbInput Input => _input;

    /// <summary>Number of members, fields or elements, once <see cref="Open"/> has been called; -1 when only reading on
    /// tells (nodes).</summary>
    public long Count { get; private set; }

    /// <summary>The bytes of a set that is one intset; empty for others.</summary>
    public readonly ReadOnlySpan<byte> IntSetBytes => _packing == Packing.IntSet ? _packed : default;

    /// <summary>The bytes of a collection that is one listpack, once <see cref="Open"/> has been called; empty for
    /// others.</summary>
    public readonly Span<byte> PackedListBytes => _packing == Packing.ListPack ? _packed : default;

    /// <summary>The earliest time in a hash whose fields expire, from which the others are counted.</summary>
    public long FirstExpiryMs { get; private set; }

    /// <summary>The part that <see cref="MoveNext"/> has come to.</summary>
    public RdbElement Current { get; private set; }

    /// <summary>Reads as far as the first part, so that <see cref="Count"/> is known. Not for strings, streams and
    /// values of modules, which have no parts.</summary>
    public void Open()
    {
        switch (Type)
        {
            case RdbType.List or RdbType.Set:
                OpenPlain(turns: 1);
                break;
            case RdbType.Hash or RdbType.SortedSet or RdbType.SortedSetText:
                OpenPlain(turns: 2);
                break;
            case RdbType.HashExpiryOld:
                OpenPlain(turns: 3);
                break;
            case RdbType.HashExpiry:
                FirstExpiryMs = _input.ReadInt64();
                OpenPlain(turns: 3);
                break;
            case RdbType.QuickList or RdbType.QuickListPacked:
                _nodesLeft = _input.ReadCount();
                break;
            case RdbType.HashZipMap:
                OpenPacked(Packing.ZipMap, turns: 2);
                break;
            case RdbType.ListZipList:
                OpenPacked(Packing.ZipList, turns: 1);
                break;
            case RdbType.SortedSetZipList or RdbType.HashZipList:
                OpenPacked(Packing.ZipList, turns: 2);
                break;
            case RdbType.SetIntSet:
                OpenPacked(Packing.IntSet, turns: 1);
                break;
            case RdbType.SetPacked:
                OpenPacked(Packing.ListPack, turns: 1);
                break;
            case RdbType.HashPacked or RdbType.SortedSetPacked:
                OpenPacked(Packing.ListPack, turns: 2);
                break;
            case RdbType.HashExpiryPacked:
                FirstExpiryMs = _input.ReadInt64();
                OpenPacked(Packing.ListPack, turns: 3);
                break;
            case RdbType.HashExpiryPackedOld:
                OpenPacked(Packing.ListPack, turns: 3);
                break;
            default:
                throw new InvalidOperationException($"Values of type {Type} have no parts.");
        }
    }

    /// <summary>Goes to the next part.</summary>
    /// <returns>False when there is none.</returns>
    public bool MoveNext()
    {
        while (true)
        {
            if (_packing != Packing.None)
            {
                if (TryNextPacked(out RdbElement element))
                {
                    Current = InTurn(element);
                    return true;
                }

                _packing = Packing.None;
            }
            else if (_nodesLeft > 0)
            {
                _nodesLeft--;
                OpenNode();
            }
            else if (_plainLeft > 0)
            {
                _plainLeft--;
                ReadPlain();
                return true;
            }
            else
            {
                return false;
            }
        }
    }

    /// <summary>Passes by the whole value, checking its form.</summary>
    public void SkipAll()
    {
        switch (Type)
        {
            case RdbType.String:
                SkipString();
                break;
            case RdbType.Module:
                _input.ReadUnsigned();
                RdbModules.SkipValue(_input);
                break;
            case RdbType.ModuleOld:
                _input.Fail("A module's value of a release candidate has no length: the rest cannot be read");
                break;
            case RdbType.Stream or RdbType.Stream2 or RdbType.Stream3:
                RdbStreams.Skip(_input, Type);
                break;
            default:
                Open();
                while (MoveNext())
                {
                }

                break;
        }
    }

    private readonly void SkipString()
    {
        RdbStringHead head = _input.ReadStringHead();
        if (head.Form == RdbStringForm.Plain)
        {
            _input.Skip(head.StoredBytes);
        }
        else
        {
            _input.ReadString(head);
        }
    }

    private void OpenPlain(int turns)
    {
        Count = _input.ReadCount();
        _turns = turns;
        if (Count > _input.Remaining / turns)
        {
            _input.Fail($"{Count} elements are announced, but only {_input.Remaining} bytes are left");
        }

        _plainLeft = Count * turns;
    }

    private void OpenPacked(Packing packing, int turns)
    {
        _turns = turns;
        int parts = LoadPacked(packing);
        if (parts % turns != 0)
        {
            _input.Fail($"A {RdbTypes.NameOf(Type)} has {parts} parts, which leaves an incomplete one");
        }

        Count = parts / turns;
    }

    // Reads a packed string, checks it, and stands before its first part. Returns the number of parts.
    private int LoadPacked(Packing packing)
    {
        _packed = _input.ReadString();
        _packing = packing;
        switch (packing)
        {
            case Packing.ListPack when PackedList.IsValid(_packed):
                PackedList list = new(_packed);
                _at = list.First;
                return CountOf(list);
            case Packing.ZipList when ZipList.IsValid(_packed):
                _at = ZipList.HeaderBytes;
                return ZipList.CountOf(_packed);
            case Packing.ZipMap when ZipMap.IsValid(_packed):
                _at = ZipMap.HeaderBytes;
                return CountMap();
            case Packing.IntSet when IntSet.IsValid(_packed):
                _at = 0;
                return new IntSet(_packed).Count;
            default:
                _input.Fail($"The {RdbTypes.NameOf(Type)} is damaged");
                return 0;
        }
    }

    private static int CountOf(PackedList list)
    {
        int count = 0;
        for (int position = list.First; position != PackedList.None; position = list.Next(position))
        {
            count++;
        }

        return count;
    }

    private readonly int CountMap()
    {
        int count = 0;
        int at = ZipMap.HeaderBytes;
        while (ZipMap.TryRead(_packed, ref at, isValue: (count & 1) == 1, out _))
        {
            count++;
        }

        return count;
    }

    private void OpenNode()
    {
        if (Type == RdbType.QuickList)
        {
            LoadPacked(Packing.ZipList);
            return;
        }

        switch (_input.ReadLength())
        {
            case RdbFormat.PlainListNode:
                _packed = _input.ReadString();
                if (_packed.Length == 0)
                {
                    _input.Fail("A node of a list is for one long element, and empty"); // Nobody writes that.
                }

                _packing = Packing.Single;
                _at = 0;
                break;
            case RdbFormat.PackedListNode:
                LoadPacked(Packing.ListPack);
                break;
            default:
                _input.Fail("A node of a list is of an unknown kind");
                break;
        }
    }

    private bool TryNextPacked(out RdbElement element)
    {
        element = default;
        switch (_packing)
        {
            case Packing.ListPack:
                if (_at == PackedList.None)
                {
                    return false;
                }

                PackedList list = new(_packed);
                PackedElement part = list[_at];
                element = part.IsInteger ? RdbElement.OfInteger(part.Integer) : RdbElement.OfBytes(part.Bytes);
                _at = list.Next(_at);
                return true;
            case Packing.ZipList:
                return ZipList.TryNext(_packed, ref _at, out element);
            case Packing.ZipMap:
                return ZipMap.TryRead(_packed, ref _at, isValue: _turn == 1, out element);
            case Packing.IntSet:
                IntSet integers = new(_packed);
                if (_at >= integers.Count)
                {
                    return false;
                }

                element = RdbElement.OfInteger(integers[_at++]);
                return true;
            default:
                if (_at++ > 0)
                {
                    return false;
                }

                element = RdbElement.OfBytes(_packed);
                return true;
        }
    }

    // Parts of packed values are all alike; what they mean follows from their turn.
    private RdbElement InTurn(RdbElement element)
    {
        int turn = _turn;
        _turn = turn + 1 == _turns ? 0 : turn + 1;
        if (turn == 1 && RdbTypes.ValueTypeOf(Type) == ValueType.SortedSet)
        {
            return RdbElement.OfScore(element.IsInteger ? element.Integer : ParseScore(element.Bytes));
        }

        if (turn == 2 && !element.IsInteger && !IntegerText.TryParse(element.Bytes, out _))
        {
            _input.Fail("The expiry time of a hash's field is no number");
        }

        return element;
    }

    private void ReadPlain()
    {
        int turn = _turn;
        _turn = turn + 1 == _turns ? 0 : turn + 1;
        switch (Type)
        {
            case RdbType.SortedSet when turn == 1:
                Current = RdbElement.OfScore(CheckScore(BinaryPrimitives.ReadDoubleLittleEndian(_input.Take(sizeof(double)))));
                return;
            case RdbType.SortedSetText when turn == 1:
                Current = RdbElement.OfScore(ReadTextScore());
                return;
            case RdbType.HashExpiry or RdbType.HashExpiryOld when turn == 0:
                Current = RdbElement.OfInteger((long)_input.ReadUnsigned());
                return;
            default:
                RdbStringHead head = _input.ReadStringHead();
                Current = head.Form == RdbStringForm.Integer
                    ? RdbElement.OfInteger(head.Integer)
                    : RdbElement.OfBytes(_input.ReadString(head));
                return;
        }
    }

    private readonly double ReadTextScore()
    {
        byte length = _input.ReadByte();
        return length switch
        {
            PositiveInfinity => double.PositiveInfinity,
            NegativeInfinity => double.NegativeInfinity,
            NotANumber => CheckScore(double.NaN),
            _ => ParseScore(_input.Take(length)),
        };
    }

    private readonly double ParseScore(ReadOnlySpan<byte> text)
    {
        if (text.SequenceEqual("inf"u8))
        {
            return double.PositiveInfinity;
        }

        if (text.SequenceEqual("-inf"u8))
        {
            return double.NegativeInfinity;
        }

        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double score))
        {
            _input.Fail("A score is no number");
        }

        return CheckScore(score);
    }

    private readonly double CheckScore(double score)
    {
        if (double.IsNaN(score))
        {
            _input.Fail("A score is not a number");
        }

        return score;
    }
}
