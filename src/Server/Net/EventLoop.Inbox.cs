using System.Net;

namespace KvServer.Server.Net;

/// <content>What other threads ask of this loop.</content>
internal sealed partial class EventLoop
{
    private readonly Lock _inboxLock = new();
    private List<Message> _inbox = [];
    private List<Message> _taken = [];

    private enum MessageKind
    {
        Adopt,
        Send,
        Resume,
        Close,
        TurnCompleted,
        TakeOver,
        Stop,
        Listen,
        Work,
        HandshakeInput,
        HandshakeSend,
        HandshakeEnd,
    }

    /// <summary>Gives the loop an accepted socket. Any thread.</summary>
    internal void Adopt(int descriptor, EndPoint? remote, bool isTls) =>
        Post(new Message(MessageKind.Adopt, null, descriptor, remote, IsTls: isTls));

    /// <summary>Asks the loop to stop accepting, to send what is written, to close and to end.</summary>
    /// <param name="withinMs">What is still open after this time is cut off.</param>
    internal void Stop(int withinMs) => Post(new Message(MessageKind.Stop, null, withinMs));

    /// <summary>The turn in the command loop's queue has run. From the thread that ran it.</summary>
    internal void TurnCompleted() => Post(new Message(MessageKind.TurnCompleted));

    /// <summary>The command loop is this thread's from here on. From the thread that held it.</summary>
    internal void TakeOverCommandLoop() => Post(new Message(MessageKind.TakeOver));

    /// <summary>Has work done inside the command loop with this loop's next turn. Any thread.</summary>
    internal void PostWork(Action work) => Post(new Message(MessageKind.Work, Work: work));

    private void Post(in Message message)
    {
        bool wake;
        lock (_inboxLock)
        {
            wake = _inbox.Count == 0; // Else somebody woke the loop already and it has not looked yet.
            _inbox.Add(message);
        }

        if (wake)
        {
            _epoll.Wake();
        }
    }

    private void TakeInbox()
    {
        _epoll.ClearWake();
        lock (_inboxLock)
        {
            (_inbox, _taken) = (_taken, _inbox);
        }

        foreach (Message message in _taken)
        {
            Take(message);
        }

        _taken.Clear();
    }

    private void Take(in Message message)
    {
        switch (message.Kind)
        {
            case MessageKind.Adopt:
                TakeAccepted(message.Number, message.Remote, message.IsTls);
                break;
            case MessageKind.Send:
                QueueSend(message.Connection!);
                break;
            case MessageKind.Resume:
                ResumeBatch(message.Connection!);
                break;
            case MessageKind.Close:
                _toClose.Add(message.Connection!);
                break;
            case MessageKind.TurnCompleted:
                Turn ran = _flying!;
                _flying = null;
                FinishTurn(ran);
                break;
            case MessageKind.TakeOver:
                CommandLoop.ResumeHolding();
                break;
            case MessageKind.Listen:
                TakeListeners(message.Listeners!);
                break;
            case MessageKind.Work:
                _filling.Work.Add(message.Work!);
                break;
            case MessageKind.HandshakeInput or MessageKind.HandshakeSend or MessageKind.HandshakeEnd:
                TakeHandshakeMessage(message);
                break;
            case MessageKind.Stop:
                _stopAtMs = _nowMs + message.Number;
                UnwatchListeners();
                StopHandshakes();
                _filling.CloseAll = ListConnections(_filling) > 0;
                break;
        }
    }

    private readonly record struct Message(
        MessageKind Kind, EpollConnection? Connection = null, int Number = 0, EndPoint? Remote = null,
        IReadOnlyList<Listener>? Listeners = null, Action? Work = null, bool IsTls = false, string? Failure = null);
}
