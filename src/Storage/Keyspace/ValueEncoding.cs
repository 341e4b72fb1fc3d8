namespace KvServer.Storage;

/// <summary>How a value is stored. Four bits of the entry; values up to 15.</summary>
/// <remarks>OBJECT ENCODING shows names that follow from this and the entry's flags.</remarks>
public enum ValueEncoding : byte
{
    /// <summary>A string that is a 64-bit integer: 8 bytes inside the entry.</summary>
    Integer = 0,

    /// <summary>A string inside the entry, its length before it.</summary>
    Inline = 1,

    /// <summary>A string in a block of its own: address, length and capacity inside the entry.</summary>
    Block = 2,

    /// <summary>A packed list inside the entry, its length in bytes before it.</summary>
    PackedList = 3,

    /// <summary>Sorted integers inside the entry, their length in bytes before them.</summary>
    IntSet = 4,

    /// <summary>A dict; the address of its state inside the entry.</summary>
    HashTable = 5,

    /// <summary>A skip list with its dict; an address inside the entry.</summary>
    SkipList = 6,

    /// <summary>A list of packed lists; an address inside the entry.</summary>
    QuickList = 7,

    /// <summary>A stream; an address inside the entry.</summary>
    Stream = 8,
}
