using System.Numerics;

namespace KvServer.Server.Acl;

/// <summary>A set of commands, one bit for each by its id, and one for all that may be added in the future.</summary>
internal sealed class CommandBits(int count)
{
    private readonly ulong[] _words = new ulong[(count + 63) / 64];

    /// <summary>Whether a command is in the set.</summary>
    public bool this[int id]
    {
        get => (_words[id >> 6] & (1UL << id)) != 0;
        set
        {
            if (value)
            {
                _words[id >> 6] |= 1UL << id;
            }
            else
            {
                _words[id >> 6] &= ~(1UL << id);
            }
        }
    }

    /// <summary>Puts all commands in, or takes all out.</summary>
    public void Fill(bool value) => Array.Fill(_words, value ? ulong.MaxValue : 0);

    /// <summary>Puts all of another set in, or takes them out.</summary>
    public void Set(CommandBits others, bool value)
    {
        for (int i = 0; i < _words.Length; i++)
        {
            _words[i] = value ? _words[i] | others._words[i] : _words[i] & ~others._words[i];
        }
    }

    /// <summary>Makes this the same set as another.</summary>
    public void CopyFrom(CommandBits other) => other._words.CopyTo(_words, 0);

    /// <summary>How many of another set are in this one, and how many are not.</summary>
    public (int On, int Off) Count(CommandBits others)
    {
        int on = 0;
        int off = 0;
        for (int i = 0; i < _words.Length; i++)
        {
            on += BitOperations.PopCount(_words[i] & others._words[i]);
            off += BitOperations.PopCount(~_words[i] & others._words[i]);
        }

        return (on, off);
    }
}
