using System.Buffers;
using KvServer.Resp;

namespace KvServer.Server.Tracking;

/// <summary>A message that keys have changed, spelled once for each form however many clients get it.</summary>
/// <remarks>Used again and again; its buffers are let go after a large message. Command loop only.</remarks>
internal sealed class InvalidationMessage
{
    private const int MaxKeptBytes = 64 * 1024;

    private readonly ArrayBufferWriter<byte>[] _forms = [new(), new()];
    private IReadOnlyList<byte[]> _keys = [];

    /// <summary>Begins a message.</summary>
    /// <param name="keys">What has changed; none for all keys there are. Must stay as they are until <see cref="End"/>.</param>
    public void Begin(IReadOnlyList<byte[]> keys) => _keys = keys;

    /// <summary>For RESP3. O(bytes) the first time. Valid until <see cref="End"/>.</summary>
    public ReadOnlySpan<byte> AsPush() => Spelled(form: 0, ">2\r\n$10\r\ninvalidate\r\n"u8, "_\r\n"u8);

    /// <summary>For RESP2, as a message to subscribers. O(bytes) the first time. Valid until <see cref="End"/>.</summary>
    public ReadOnlySpan<byte> AsPublished() =>
        Spelled(form: 1, "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n"u8, "$-1\r\n"u8);

    /// <summary>Forgets the message.</summary>
    public void End()
    {
        _keys = [];
        foreach (ref ArrayBufferWriter<byte> form in _forms.AsSpan())
        {
            form.ResetWrittenCount();
            if (form.Capacity > MaxKeptBytes)
            {
                form = new ArrayBufferWriter<byte>();
            }
        }
    }

    private ReadOnlySpan<byte> Spelled(int form, ReadOnlySpan<byte> head, ReadOnlySpan<byte> none)
    {
        ArrayBufferWriter<byte> text = _forms[form];
        if (text.WrittenCount == 0)
        {
            try
            {
                text.Write(head);
                WriteKeys(text, none);
            }
            catch (OutOfMemoryException)
            {
                text.ResetWrittenCount(); // The next client must not get half of it.
                throw;
            }
        }

        return text.WrittenSpan;
    }

    private void WriteKeys(ArrayBufferWriter<byte> text, ReadOnlySpan<byte> none)
    {
        if (_keys.Count == 0)
        {
            text.Write(none);
            return;
        }

        WriteLine(text, "*"u8, _keys.Count);
        foreach (byte[] key in _keys)
        {
            WriteLine(text, "$"u8, key.Length);
            text.Write(key);
            text.Write("\r\n"u8);
        }
    }

    private static void WriteLine(ArrayBufferWriter<byte> text, ReadOnlySpan<byte> sign, long number)
    {
        Span<byte> digits = stackalloc byte[20];
        text.Write(sign);
        text.Write(digits[..Numbers.FormatInt64(number, digits)]);
        text.Write("\r\n"u8);
    }
}
