using System.Globalization;

namespace KvServer.Durability.Tests.Traffic;

/// <summary>The keys of one client as its writes leave them.</summary>
internal sealed class ClientModel
{
    // The server reads its clock at another moment than we do, and not at every command.
    private const long ClockToleranceMs = 3000;

    private readonly Dictionary<KeyId, ModelValue> _values;

    /// <summary>Begins with what a client's keys hold already.</summary>
    public ClientModel(IReadOnlyDictionary<KeyId, ModelValue> values) =>
        _values = values.ToDictionary(pair => pair.Key, pair => pair.Value.Clone());

    /// <summary>All keys that exist.</summary>
    public IReadOnlyDictionary<KeyId, ModelValue> Values => _values;

    /// <summary>The value of a key, or null.</summary>
    public ModelValue? Find(KeyId key) => _values.GetValueOrDefault(key);

    /// <summary>Applies a write as the documentation of its command says.</summary>
    /// <remarks>An SPOP whose answer is lost must be the client's last write.</remarks>
    public void Apply(Write write)
    {
        KeyId key = write.Keys[0];
        IReadOnlyList<string> args = write.Arguments;
        switch (write.Name)
        {
            case "SET":
                long expiresAtMs = args.Count > 3 ? ParseNumber(args[4]) : 0;
                _values[key] = new ModelValue { Text = args[2], ExpiresFromMs = expiresAtMs, ExpiresToMs = expiresAtMs };
                break;
            case "MSET":
                for (int i = 0; i < write.Keys.Count; i++)
                {
                    _values[write.Keys[i]] = new ModelValue { Text = args[(2 * i) + 2] };
                }

                break;
            case "INCR":
                ModelValue counter = TextAt(key, "0");
                counter.Text = (ParseNumber(counter.Text!) + 1).ToString(CultureInfo.InvariantCulture);
                break;
            case "APPEND":
                TextAt(key, "").Text += args[2];
                break;
            case "SETRANGE":
                ModelValue text = TextAt(key, "");
                int at = (int)ParseNumber(args[2]);
                text.Text = string.Concat(text.Text.AsSpan(0, at), args[3], text.Text.AsSpan(at + args[3].Length));
                break;
            case "SADD":
                if (!_values.TryGetValue(key, out ModelValue? set))
                {
                    _values[key] = set = new ModelValue { Members = new HashSet<string>(StringComparer.Ordinal) };
                }

                set.Members!.UnionWith(args.Skip(2));
                break;
            case "SREM" when _values.TryGetValue(key, out ModelValue? from):
                from.Members!.ExceptWith(args.Skip(2));
                RemoveIfEmpty(key, from);
                break;
            case "SPOP" when _values.TryGetValue(key, out ModelValue? popped):
                Pop(key, popped, write.Popped);
                break;
            case "EXPIRE" when _values.TryGetValue(key, out ModelValue? expiring):
                long ttlMs = ParseNumber(args[2]) * 1000;
                expiring.ExpiresFromMs = write.SentAtMs + ttlMs - ClockToleranceMs;
                expiring.ExpiresToMs = write.AnsweredAtMs + ttlMs + ClockToleranceMs;
                break;
            case "PEXPIREAT" when _values.TryGetValue(key, out ModelValue? until):
                until.ExpiresFromMs = until.ExpiresToMs = ParseNumber(args[2]);
                break;
            case "PERSIST" when _values.TryGetValue(key, out ModelValue? kept):
                kept.ExpiresFromMs = kept.ExpiresToMs = 0;
                break;
            case "RENAME" when _values.Remove(key, out ModelValue? moved):
                _values[write.Keys[1]] = moved;
                break;
            case "DEL":
                foreach (KeyId deleted in write.Keys)
                {
                    _values.Remove(deleted);
                }

                break;
            default:
                break; // The key is not there, and the command does nothing.
        }
    }

    private static long ParseNumber(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private ModelValue TextAt(KeyId key, string initial)
    {
        if (!_values.TryGetValue(key, out ModelValue? value))
        {
            _values[key] = value = new ModelValue { Text = initial };
        }

        return value;
    }

    private void Pop(KeyId key, ModelValue set, string? member)
    {
        if (member is not null)
        {
            set.Members!.Remove(member);
            RemoveIfEmpty(key, set);
        }
        else if (set.Members!.Count == 1)
        {
            _values.Remove(key);
        }
        else
        {
            set.LacksOne = true;
        }
    }

    private void RemoveIfEmpty(KeyId key, ModelValue set)
    {
        if (set.Members!.Count == 0)
        {
            _values.Remove(key);
        }
    }
}
