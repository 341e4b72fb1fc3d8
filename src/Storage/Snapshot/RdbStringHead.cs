namespace KvServer.Storage;

/// <summary>What stands before the bytes of a string.</summary>
/// <param name="Form">How it is stored.</param>
/// <param name="StoredBytes">Bytes that follow in the file.</param>
/// <param name="LengthBytes">Bytes of the string; of an integer, 0.</param>
/// <param name="Integer">The value of an integer.</param>
internal readonly record struct RdbStringHead(RdbStringForm Form, int StoredBytes, int LengthBytes, long Integer)
{
    public static RdbStringHead OfInteger(long value) => new(RdbStringForm.Integer, 0, 0, value);
}
