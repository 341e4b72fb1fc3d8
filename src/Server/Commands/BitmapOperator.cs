namespace KvServer.Server.Commands;

/// <summary>The operations of BITOP.</summary>
internal enum BitmapOperator : byte
{
    And,
    Or,
    Xor,
    Not,
}
