namespace KvServer.Server.Clients;

/// <summary>The largest buffers that any client had in the last seconds, for INFO clients.</summary>
/// <remarks>Each client is looked at about once a second. Command loop only.</remarks>
internal sealed class ClientPeaks
{
    private const int Seconds = 8;

    private readonly (long Second, long InputBytes, long OutputBytes)[] _slots = new (long, long, long)[Seconds];

    /// <summary>Notes what one client has at the moment.</summary>
    /// <param name="nowMs">The time in ms.</param>
    /// <param name="inputBytes">Bytes received and not yet dealt with.</param>
    /// <param name="outputBytes">Bytes that wait to be sent.</param>
    public void Note(long nowMs, long inputBytes, long outputBytes)
    {
        long second = nowMs / 1000;
        ref (long Second, long InputBytes, long OutputBytes) slot = ref _slots[second % Seconds];
        slot = slot.Second == second
            ? (second, Math.Max(slot.InputBytes, inputBytes), Math.Max(slot.OutputBytes, outputBytes))
            : (second, inputBytes, outputBytes);
    }

    /// <summary>The largest of those noted in this second and the seven before it.</summary>
    public (long InputBytes, long OutputBytes) Largest(long nowMs)
    {
        long oldest = (nowMs / 1000) - Seconds + 1;
        (long input, long output) = (0, 0);
        foreach ((long second, long inputBytes, long outputBytes) in _slots)
        {
            if (second >= oldest)
            {
                input = Math.Max(input, inputBytes);
                output = Math.Max(output, outputBytes);
            }
        }

        return (input, output);
    }
}
