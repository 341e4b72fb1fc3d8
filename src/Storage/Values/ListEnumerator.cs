using System.Runtime.CompilerServices;

namespace KvServer.Storage;

/// <summary>Walks over a run of a list's elements, in either direction.</summary>
/// <remarks>Valid until the list changes, or a compressed node of another list is looked at. Command loop only.</remarks>
public unsafe ref struct ListEnumerator
{
    private readonly ListTree _tree;
    private readonly bool _forward;
    private ListPath _path;
    private PackedList _list;
    private ReadOnlySpan<byte> _plain;
    private bool _isPlain;
    private int _position;
    private long _left;

    internal ListEnumerator(PackedList list, long start, long count, bool forward)
    {
        _forward = forward;
        _left = count;
        _list = list;
        _position = count == 0 ? PackedList.None : list.PositionAt((int)start);
    }

    internal ListEnumerator(ListTree tree, long start, long count, bool forward)
    {
        _tree = tree;
        _forward = forward;
        _left = count;
        if (count > 0)
        {
            tree.Find(start, ref _path);
            Enter();
            if (!_isPlain)
            {
                _position = _list.PositionAt(_path.Offset);
            }
        }
    }

    /// <summary>The element <see cref="MoveNext"/> has come to.</summary>
    public PackedElement Current { readonly get; private set; }

    /// <summary>Serves foreach.</summary>
    public readonly ListEnumerator GetEnumerator() => this;

    /// <summary>Goes to the next element.</summary>
    /// <returns>False behind the last one.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MoveNext()
    {
        if (_left == 0)
        {
            return false;
        }

        _left--;
        if (_position == PackedList.None)
        {
            Leave();
        }

        if (_isPlain)
        {
            Current = PackedElement.OfString(_plain);
            _position = PackedList.None;
            return true;
        }

        if (_forward)
        {
            Current = _list.ReadForward(ref _position);
            return true;
        }

        Current = _list[_position];
        _position = _list.Previous(_position);
        return true;
    }

    private void Leave()
    {
        bool isThere = _path.Step(_forward);
        Invariant.Check(isThere, "a list has as many elements as it counts");
        Enter();
        if (!_isPlain)
        {
            _position = _forward ? _list.First : _list.Last;
        }
    }

    private void Enter()
    {
        _isPlain = ListNode.KindOf(_path.Leaf) == ListNodeKind.Plain;
        if (_isPlain)
        {
            _plain = ListNode.PlainOf(_path.Leaf);
            _position = 0;
        }
        else
        {
            _list = _tree.View(_path.Leaf);
        }
    }
}
