using System.Text;

namespace KvServer.Resp;

/// <summary>A copy of one request that outlives the receive buffer: for MULTI, for blocked clients, for tests.</summary>
public sealed class OwnedRequest : IDisposable
{
    private readonly ArgumentSlot[] _slots;

    private OwnedRequest(ArgumentSlot[] slots) => _slots = slots;

    /// <summary>Copies the arguments into memory of its own; large bulks are taken over instead of copied.</summary>
    public static OwnedRequest From(Arguments arguments)
    {
        long totalBytes = 0;
        foreach (ref ArgumentSlot slot in arguments.Slots)
        {
            totalBytes += slot.IsLarge ? 0 : slot.Length;
        }

        byte[] bytes = new byte[totalBytes];
        var slots = new ArgumentSlot[arguments.Count];
        int at = 0;
        for (int i = 0; i < slots.Length; i++)
        {
            if (arguments.IsLarge(i))
            {
                int lengthBytes = arguments.Slots[i].Length;
                slots[i] = new ArgumentSlot(arguments.TakeLarge(i), ArgumentSlot.LargeOffset, lengthBytes);
                continue;
            }

            ReadOnlySpan<byte> argument = arguments[i];
            argument.CopyTo(bytes.AsSpan(at));
            slots[i] = new ArgumentSlot(bytes, at, argument.Length);
            at += argument.Length;
        }

        return new OwnedRequest(slots);
    }

    /// <summary>Makes a request from strings, in UTF-8.</summary>
    public static OwnedRequest Of(params ReadOnlySpan<string> arguments)
    {
        var slots = new ArgumentSlot[arguments.Length];
        for (int i = 0; i < slots.Length; i++)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(arguments[i]);
            slots[i] = new ArgumentSlot(bytes, 0, bytes.Length);
        }

        return new OwnedRequest(slots);
    }

    /// <summary>Makes a request from byte arrays, which it keeps and does not copy.</summary>
    public static OwnedRequest Of(params ReadOnlySpan<byte[]> arguments)
    {
        var slots = new ArgumentSlot[arguments.Length];
        for (int i = 0; i < slots.Length; i++)
        {
            slots[i] = new ArgumentSlot(arguments[i], 0, arguments[i].Length);
        }

        return new OwnedRequest(slots);
    }

    /// <summary>The arguments; valid until this is disposed.</summary>
    public Arguments Arguments => new(_slots);

    /// <summary>Disposes large bulks nobody took.</summary>
    public void Dispose()
    {
        foreach (ref ArgumentSlot slot in _slots.AsSpan())
        {
            if (slot.IsLarge)
            {
                (slot.Source as LargeBulk)?.Dispose();
                slot.Source = null;
                slot.Length = 0;
            }
        }
    }
}
