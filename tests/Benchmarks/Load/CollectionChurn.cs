using System.Globalization;
using System.Text;
using KvServer.TestSupport;

namespace KvServer.Benchmarks.Load;

/// <summary>Writes to random collections over one connection, element by element, so that what they consist of changes its
/// size when the caller changes it.</summary>
/// <remarks>A touch is what is done to one key: 40 elements of up to 1,000 in a hash, a set or a sorted set, 40 more at the
/// end of a list that keeps 1,000, or ten entries of four fields in a stream that keeps about 250.</remarks>
internal sealed class CollectionChurn : IDisposable
{
    private const int ElementsPerTouch = 40;
    private const int ElementsPerKey = 1000;
    private const int EntriesPerTouch = 10;
    private const int FieldsPerEntry = ElementsPerTouch / EntriesPerTouch;
    private const int TouchesPerBatch = 100;
    private static readonly string KeptElements = (-ElementsPerKey).ToString(CultureInfo.InvariantCulture);
    private static readonly string KeptEntries = (ElementsPerKey / FieldsPerEntry).ToString(CultureInfo.InvariantCulture);
    private static readonly byte[] Text = Encoding.ASCII.GetBytes(new string('x', 1024));

    private readonly RespClient _client;
    private readonly IReadOnlyList<string> _commands;
    private readonly int _keys;
    private readonly Random _random = new(1);
    private readonly MemoryStream _requests = new();
    private readonly List<byte[]> _arguments = [];
    private int _unread;
    private long _written;

    /// <summary>Connects.</summary>
    /// <param name="port">The server's loopback port.</param>
    /// <param name="keys">How many keys there are.</param>
    /// <param name="commands">What writes to them: HSET, SADD, ZADD, RPUSH, XADD; each has its share of the keys.</param>
    public CollectionChurn(int port, int keys, IReadOnlyList<string> commands)
    {
        _client = new RespClient(port, receiveTimeoutMs: 120_000);
        _keys = keys;
        _commands = commands;
    }

    /// <summary>Writes for a while.</summary>
    /// <param name="bytes">How many bytes of elements, their names included.</param>
    /// <param name="elementBytes">Bytes of each element, and up to half as many again.</param>
    /// <param name="afterBatch">Called now and then.</param>
    /// <returns>How many keys were touched.</returns>
    public long Write(long bytes, int elementBytes, Action afterBatch)
    {
        long touches = 0;
        for (_written = 0; _written < bytes; touches += TouchesPerBatch)
        {
            for (int i = 0; i < TouchesPerBatch; i++)
            {
                Touch(_random.Next(_keys), elementBytes);
            }

            _client.SendRaw(_requests.GetBuffer().AsSpan(0, (int)_requests.Length));
            _requests.SetLength(0);
            for (; _unread > 0; _unread--)
            {
                RespValue reply = _client.ReadReply();
                if (reply.IsError)
                {
                    throw new InvalidOperationException($"A write was refused: {reply.AsString}");
                }
            }

            afterBatch();
        }

        return touches;
    }

    public void Dispose()
    {
        _client.Dispose();
        _requests.Dispose();
    }

    private void Touch(int number, int elementBytes)
    {
        string command = _commands[number % _commands.Count];
        byte[] key = Bytes(string.Create(CultureInfo.InvariantCulture, $"c{number}"));
        if (command == "XADD")
        {
            for (int i = 0; i < EntriesPerTouch; i++)
            {
                Begin(command, key, "MAXLEN", "~", KeptEntries, "*");
                AddElements(command, FieldsPerEntry, elementBytes);
                End();
            }

            return;
        }

        Begin(command, key);
        AddElements(command, ElementsPerTouch, elementBytes);
        End();
        if (command == "RPUSH")
        {
            Begin("LTRIM", key, KeptElements, "-1");
            End();
        }
    }

    private void AddElements(string command, int count, int elementBytes)
    {
        for (int i = 0; i < count; i++)
        {
            int number = _random.Next(ElementsPerKey);
            string name = number.ToString("0000", CultureInfo.InvariantCulture);
            int length = elementBytes + _random.Next(elementBytes / 2);
            if (command is "HSET" or "ZADD" or "XADD")
            {
                _arguments.Add(Bytes(name)); // The field, or the score.
            }

            // Members must be as many different ones whatever their length.
            _arguments.Add(command is "SADD" or "ZADD" ? [.. Bytes(name), .. Text.AsSpan(0, length)] : Text[..length]);
            _written += name.Length + length;
        }
    }

    private void Begin(string command, byte[] key, params ReadOnlySpan<string> more)
    {
        _arguments.Clear();
        _arguments.Add(Bytes(command));
        _arguments.Add(key);
        foreach (string word in more)
        {
            _arguments.Add(Bytes(word));
        }
    }

    private void End()
    {
        TestSupport.CommandLine.AppendRequest(_requests, _arguments);
        _unread++;
    }

    private static byte[] Bytes(string text) => Encoding.ASCII.GetBytes(text);
}
