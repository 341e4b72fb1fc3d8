namespace KvServer.Storage;

/// <summary>Walks over the fields of an entry of a stream.</summary>
/// <remarks>Valid until the stream changes. Command loop only.</remarks>
public ref struct StreamFieldEnumerator
{
    private readonly PackedList _list;
    private int _names;
    private int _body;
    private int _left;

    internal StreamFieldEnumerator(PackedList list, int count, int names, int body)
    {
        _list = list;
        _left = count;
        _names = names;
        _body = body;
    }

    /// <summary>The pair <see cref="MoveNext"/> has come to.</summary>
    public StreamField Current { readonly get; private set; }

    /// <summary>Goes to the next pair.</summary>
    /// <returns>False behind the last one.</returns>
    public bool MoveNext()
    {
        if (_left == 0)
        {
            return false;
        }

        _left--;
        PackedElement name = _names == PackedList.None ? _list.ReadForward(ref _body) : _list.ReadForward(ref _names);
        Current = new StreamField(name, _list.ReadForward(ref _body));
        return true;
    }
}
