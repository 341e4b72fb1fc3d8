namespace KvServer.Server.Commands;

/// <summary>One part of a BITFIELD command, read and checked.</summary>
/// <param name="Verb">What to do.</param>
/// <param name="Overflow">What to do with a number that does not fit.</param>
/// <param name="Type">The field's type.</param>
/// <param name="Offset">Its first bit.</param>
/// <param name="Number">The value of SET or the increment of INCRBY; 0 for GET.</param>
internal readonly record struct BitFieldOperation(
    BitFieldVerb Verb, BitFieldOverflow Overflow, BitFieldType Type, long Offset, long Number)
{
    /// <summary>The last bit it touches.</summary>
    public long LastBit => Offset + Type.Bits - 1;

    /// <summary>Runs the operation on a string that reaches as far as it writes.</summary>
    /// <param name="bytes">The string; only read by <see cref="BitFieldVerb.Get"/>, which may reach beyond it.</param>
    /// <param name="reply">What the client is told: the value of GET, the old value of SET, the new one of INCRBY.</param>
    /// <param name="changed">True when the field holds another value now.</param>
    /// <returns>False when the value did not fit and was not written: the reply is null.</returns>
    public bool TryRun(Span<byte> bytes, out long reply, out bool changed)
    {
        long before = Type.Read(bytes, Offset);
        reply = before;
        changed = false;
        if (Verb == BitFieldVerb.Get)
        {
            return true;
        }

        Int128 exact = Verb == BitFieldVerb.Set ? Type.Interpret(Number) : (Int128)before + Number;
        if (!Type.TryFit(exact, Overflow, out long after))
        {
            return false;
        }

        Type.Write(bytes, Offset, after);
        reply = Verb == BitFieldVerb.Set ? before : after;
        changed = after != before;
        return true;
    }
}
