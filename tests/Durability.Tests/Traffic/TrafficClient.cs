using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using KvServer.TestSupport;

namespace KvServer.Durability.Tests.Traffic;

/// <summary>One connection that writes in small pipelines until it breaks or is told to end, and keeps a record.</summary>
/// <remarks>On a thread of its own; the record may be read when the thread has ended.</remarks>
internal sealed class TrafficClient
{
    private const int MaxPipeline = 8;

    private readonly int _port;
    private readonly EventClock _events;
    private readonly TimeProvider _clock;
    private readonly Random _random;
    private readonly WriteGenerator _generator;
    private readonly ClientModel _model;
    private readonly ManualResetEventSlim _stop;
    private readonly TimeSpan _pause;
    private readonly Thread _thread;
    private readonly List<Write> _writes = [];
    private readonly List<(long Event, long Ticks)> _answers = [];
    private int _selected = -1;

    /// <summary>Prepares a client.</summary>
    /// <param name="number">Its number, which its keys begin with.</param>
    /// <param name="port">Where the server listens.</param>
    /// <param name="initial">What its keys hold.</param>
    /// <param name="generator">Thinks up its writes.</param>
    /// <param name="random">Decides how many go together.</param>
    /// <param name="events">Numbers what happens.</param>
    /// <param name="stop">Set when it should end by itself.</param>
    /// <param name="pause">How long it rests between two pipelines.</param>
    public TrafficClient(
        int number,
        int port,
        IReadOnlyDictionary<KeyId, ModelValue> initial,
        WriteGenerator generator,
        Random random,
        EventClock events,
        ManualResetEventSlim stop,
        TimeSpan pause)
    {
        Number = number;
        Initial = initial;
        _port = port;
        _events = events;
        _clock = TimeProvider.System;
        _random = random;
        _generator = generator;
        _model = new ClientModel(initial);
        _stop = stop;
        _pause = pause;
        _thread = new Thread(Run) { Name = "traffic " + number, IsBackground = true };
    }

    /// <summary>Its number.</summary>
    public int Number { get; }

    /// <summary>What its keys held at the start.</summary>
    public IReadOnlyDictionary<KeyId, ModelValue> Initial { get; }

    /// <summary>Its writes in the order they were sent.</summary>
    public IReadOnlyList<Write> Writes => _writes;

    /// <summary>An answer that should not have come; null if there was none.</summary>
    public string? Fault { get; private set; }

    /// <summary>Starts writing.</summary>
    public void Start() => _thread.Start();

    /// <summary>Waits until it has ended.</summary>
    public void Join() => _thread.Join();

    /// <summary>The number of the last answer that had arrived at a moment of <see cref="Stopwatch"/>; 0 for none.</summary>
    public long LastAnswerBefore(long ticks) => _answers.LastOrDefault(answer => answer.Ticks < ticks).Event;

    private void Run()
    {
        try
        {
            using RespClient client = new(_port);
            while (!_stop.IsSet && Fault is null)
            {
                RunPipeline(client);
                if (_pause > TimeSpan.Zero)
                {
                    _stop.Wait(_pause);
                }
            }
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            // The server was killed.
        }
        catch (Exception e) when (e is InvalidDataException or InvalidOperationException or FormatException)
        {
            Fault = e.ToString();
        }
    }

    private void RunPipeline(RespClient client)
    {
        using MemoryStream request = new();
        List<Write?> sent = []; // Null for a SELECT.
        int count = _random.Next(1, MaxPipeline + 1);
        for (int i = 0; i < count; i++)
        {
            Write write = _generator.Next(_model);
            if (write.Database != _selected)
            {
                _selected = write.Database;
                new Write(0, "SELECT", write.Database.ToString(CultureInfo.InvariantCulture)).AppendTo(request);
                sent.Add(null);
            }

            write.AppendTo(request);
            write.SentAt = _events.Next();
            write.SentAtMs = _clock.GetUtcNow().ToUnixTimeMilliseconds();
            _writes.Add(write);
            sent.Add(write);
            if (write.Name == "SPOP")
            {
                break; // What it removes is known with its answer; until then nothing may build on it.
            }

            _model.Apply(write);
        }

        client.SendRaw(request.GetBuffer().AsSpan(0, (int)request.Length));
        foreach (Write? write in sent)
        {
            RespValue reply = client.ReadReply();
            if (reply.IsError)
            {
                Fault = $"client {Number}: {write?.ToString() ?? "SELECT"} was answered with {reply}";
                return;
            }

            if (write is not null)
            {
                Note(write, reply);
            }
        }
    }

    private void Note(Write write, RespValue reply)
    {
        if (write.Name == "SPOP")
        {
            write.Popped = reply.IsNull ? null : reply.AsString;
            _model.Apply(write);
        }

        write.AnsweredAtMs = _clock.GetUtcNow().ToUnixTimeMilliseconds();
        write.AnsweredAt = _events.Next();
        _answers.Add((write.AnsweredAt, Stopwatch.GetTimestamp()));
    }
}
