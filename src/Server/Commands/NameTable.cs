using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace KvServer.Server.Commands;

/// <summary>Finds a command by its name in any case, without making a string.</summary>
/// <remarks>
/// Open addressing over a power of two of slots, at most a quarter full. The hash folds the first and the last eight
/// bytes with the case bit cleared, which is one or two loads for every name there is; the comparison then decides.
/// Built once at start-up and read-only afterwards, so any thread may look up.
/// </remarks>
internal sealed class NameTable
{
    private const ulong CaseMask = 0xDFDFDFDFDFDFDFDF;
    private readonly Slot[] _slots;
    private readonly int _mask;

    /// <param name="commands">Each with the name it is found by, one char per byte.</param>
    /// <exception cref="InvalidOperationException">Two commands have one name.</exception>
    public NameTable(IReadOnlyCollection<KeyValuePair<string, Command>> commands)
    {
        _slots = new Slot[BitOperations.RoundUpToPowerOf2((uint)Math.Max(commands.Count, 1) * 4)];
        _mask = _slots.Length - 1;
        foreach ((string name, Command command) in commands)
        {
            byte[] bytes = Encoding.Latin1.GetBytes(name);
            if (Find(bytes) is not null)
            {
                throw new InvalidOperationException($"Two commands are declared with the name {name}.");
            }

            int i = (int)HashOf(bytes) & _mask;
            while (_slots[i].Command is not null)
            {
                i = (i + 1) & _mask;
            }

            _slots[i] = new Slot(bytes, command);
        }
    }

    /// <summary>The command of this name in any case, or null.</summary>
    public Command? Find(ReadOnlySpan<byte> name)
    {
        int i = (int)HashOf(name) & _mask;
        while (true)
        {
            ref readonly Slot slot = ref _slots[i];
            if (slot.Command is null)
            {
                return null;
            }

            if (slot.Name.Length == name.Length && (Ascii.EqualsIgnoreCase(slot.Name, name) || IsSame(slot.Name, name)))
            {
                return slot.Command;
            }

            i = (i + 1) & _mask;
        }
    }

    // Only a name that rename-command gave has bytes beyond ASCII, which have no other case.
    private static bool IsSame(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        if (Ascii.IsValid(a))
        {
            return false;
        }

        for (int i = 0; i < a.Length; i++)
        {
            if (a[i] != b[i] && (!char.IsAsciiLetter((char)a[i]) || (a[i] | 0x20) != (b[i] | 0x20)))
            {
                return false;
            }
        }

        return true;
    }

    private static uint HashOf(ReadOnlySpan<byte> name)
    {
        ref byte start = ref MemoryMarshal.GetReference(name);
        int length = name.Length;
        ulong word;
        if (length >= 8)
        {
            ulong last = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, length - 8)) & CaseMask;
            word = (Unsafe.ReadUnaligned<ulong>(ref start) & CaseMask) ^ BitOperations.RotateLeft(last, 29);
        }
        else if (length >= 4)
        {
            uint last = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref start, length - 4));
            word = (Unsafe.ReadUnaligned<uint>(ref start) | ((ulong)last << 32)) & CaseMask;
        }
        else
        {
            word = 0;
            for (int i = 0; i < length; i++)
            {
                word = (word << 8) | name[i];
            }

            word &= CaseMask;
        }

        return (uint)(((word + (ulong)length) * 0x9E3779B97F4A7C15) >> 32);
    }

    private readonly record struct Slot(byte[] Name, Command? Command);
}
