using KvServer.Differential.Tests.Running;
using KvServer.TestSupport;

namespace KvServer.Differential.Tests.KeyEvents;

/// <summary>Subscribed to the keyspace notifications of both servers; takes what they have published since it last
/// looked.</summary>
internal sealed class KeyEventListener : IDisposable
{
    private readonly RespClient _ours;
    private readonly RespClient _reference;

    /// <summary>Switches notifications on and subscribes.</summary>
    /// <param name="pair">The servers.</param>
    /// <param name="classes">The value of notify-keyspace-events.</param>
    public KeyEventListener(ServerPair pair, string classes)
    {
        _ours = Subscribe(pair.Ours, classes);
        _reference = Subscribe(pair.Reference, classes);
    }

    /// <summary>What differs between the events of both servers, or null.</summary>
    /// <param name="without">The name of an event to leave out.</param>
    public string? Compare(string? without = null)
    {
        string ours = Take(_ours, without);
        string reference = Take(_reference, without);
        return ours == reference ? null : $"  events, ours:\n{ours}  events, reference:\n{reference}";
    }

    /// <summary>Takes our events.</summary>
    public string TakeOurs() => Take(_ours, without: null);

    public void Dispose()
    {
        _ours.Dispose();
        _reference.Dispose();
    }

    private static RespClient Subscribe(ServerProcess server, string classes)
    {
        RespClient client = server.Connect();
        client.Execute("CONFIG", "SET", "notify-keyspace-events", classes);
        client.Execute("PSUBSCRIBE", "__key*@*__:*");
        return client;
    }

    // The answer to PING comes after all messages of commands that have been answered.
    private static string Take(RespClient client, string? without)
    {
        client.Send("PING");
        List<string> events = [];
        while (true)
        {
            RespValue message = client.ReadReply();
            if (message.Items[0].AsString == "pong")
            {
                return string.Concat(events.Select(e => $"    {e}\n"));
            }

            string channel = message.Items[2].AsString;
            string text = message.Items[3].AsString;
            bool isKeyEvent = channel.StartsWith("__keyevent", StringComparison.Ordinal);
            string name = isKeyEvent ? channel[(channel.IndexOf(':', StringComparison.Ordinal) + 1)..] : text;
            if (name != without)
            {
                events.Add($"{channel} {text}");
            }
        }
    }
}
