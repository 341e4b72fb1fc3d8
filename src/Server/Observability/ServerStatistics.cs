using KvServer.Server.Acl;

namespace KvServer.Server.Observability;

/// <summary>Counters of the server as a whole, for INFO. Command loop only, except where a member says otherwise.</summary>
internal sealed class ServerStatistics
{
    /// <summary>DEBUG ERROR lets clients invent codes, so their number is bounded.</summary>
    private const int MaxErrorCodes = 128;

    private readonly SortedDictionary<string, long> _errorsByCode = new(StringComparer.Ordinal);
    private long _netInputBytes;
    private long _netOutputBytes;
    private long _reads;
    private long _writes;

    public long ConnectionsReceived { get; set; }

    public long ConnectionsRejected { get; set; }

    public long CommandsProcessed { get; set; }

    /// <summary>Error replies of any kind.</summary>
    public long ErrorReplies { get; private set; }

    /// <summary>Exceptions that escaped a handler; each also closed its connection.</summary>
    public long InternalErrors { get; set; }

    public long AclAccessDeniedAuth { get; set; }

    /// <summary>Calls refused because the user may not run the command.</summary>
    public long AclAccessDeniedCommand { get; private set; }

    /// <summary>Calls refused because the user may not use a key that way.</summary>
    public long AclAccessDeniedKey { get; private set; }

    /// <summary>Calls refused because the user may not use a channel.</summary>
    public long AclAccessDeniedChannel { get; private set; }

    /// <summary>Clients closed because all of them together took too much memory.</summary>
    public long EvictedClients { get; set; }

    public long ClientQueryBufferLimitDisconnections { get; set; }

    public long ClientOutputBufferLimitDisconnections { get; set; }

    /// <summary>Changes since the last save: INFO's rdb_changes_since_last_save.</summary>
    public long Dirty { get; set; }

    /// <summary>Bytes received from clients. Any thread.</summary>
    public long NetInputBytes => Interlocked.Read(ref _netInputBytes);

    /// <summary>Bytes sent to clients. Any thread.</summary>
    public long NetOutputBytes => Interlocked.Read(ref _netOutputBytes);

    /// <summary>Receives that brought something. Any thread.</summary>
    public long Reads => Interlocked.Read(ref _reads);

    /// <summary>Sends that took something. Any thread.</summary>
    public long Writes => Interlocked.Read(ref _writes);

    /// <summary>Error replies by their first word, for INFO errorstats.</summary>
    public IReadOnlyDictionary<string, long> ErrorsByCode => _errorsByCode;

    /// <summary>Commands per second and the traffic over the last samples.</summary>
    public InstantaneousMetrics Instantaneous { get; } = new();

    /// <summary>How long the command loop is busy at a time.</summary>
    public LoopTimes Loop { get; } = new();

    /// <summary>Counts a call that the user's rights forbid.</summary>
    public void CountDenied(AclDenial denial)
    {
        switch (denial)
        {
            case AclDenial.Command:
                AclAccessDeniedCommand++;
                break;
            case AclDenial.Key:
                AclAccessDeniedKey++;
                break;
            case AclDenial.Channel:
                AclAccessDeniedChannel++;
                break;
        }
    }

    /// <summary>Adds what one turn of an event loop received and sent. Any thread.</summary>
    public void AddTraffic(long inputBytes, long outputBytes, int reads, int writes)
    {
        Interlocked.Add(ref _reads, reads);
        Interlocked.Add(ref _writes, writes);
        Interlocked.Add(ref _netInputBytes, inputBytes);
        Interlocked.Add(ref _netOutputBytes, outputBytes);
    }

    /// <summary>Counts an error reply under its code, the first word of its text.</summary>
    public void CountError(string code)
    {
        ErrorReplies++;
        if (_errorsByCode.TryGetValue(code, out long count) || _errorsByCode.Count < MaxErrorCodes)
        {
            _errorsByCode[code] = count + 1;
        }
    }

    /// <summary>CONFIG RESETSTAT: everything but the dirty count starts again at zero.</summary>
    public void Reset()
    {
        ConnectionsReceived = 0;
        ConnectionsRejected = 0;
        CommandsProcessed = 0;
        ErrorReplies = 0;
        InternalErrors = 0;
        EvictedClients = 0;
        AclAccessDeniedAuth = 0;
        AclAccessDeniedCommand = 0;
        AclAccessDeniedKey = 0;
        AclAccessDeniedChannel = 0;
        ClientQueryBufferLimitDisconnections = 0;
        ClientOutputBufferLimitDisconnections = 0;
        Interlocked.Exchange(ref _netInputBytes, 0);
        Interlocked.Exchange(ref _netOutputBytes, 0);
        Interlocked.Exchange(ref _reads, 0);
        Interlocked.Exchange(ref _writes, 0);
        _errorsByCode.Clear();
        Instantaneous.Reset();
        Loop.Reset();
    }
}
