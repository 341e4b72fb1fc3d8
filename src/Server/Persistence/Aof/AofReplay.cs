using System.IO.Pipelines;
using System.Text;
using KvServer.Resp;
using KvServer.Server.Clients;
using KvServer.Server.Commands;
using KvServer.Storage;

namespace KvServer.Server.Persistence.Aof;

/// <summary>Runs the commands of append-only files as one client does, without what is for clients: checks, replies,
/// statistics.</summary>
/// <remarks>While one exists, no key's time ever comes: the files say which keys had expired when. Command loop only.</remarks>
internal sealed class AofReplay : IDisposable
{
    private readonly ServerState _server;
    private readonly CommandContext _context;
    private readonly Client _client;
    private bool _hasWarned;

    /// <summary>Prepares for files whose first command is in database 0.</summary>
    public AofReplay(ServerState server)
    {
        _server = server;
        _context = new CommandContext(server);
        _client = new Client(
            id: 0, new ReplayConnection(), new ReplyWriter(PipeWriter.Create(Stream.Null)), server.Keyspace[0]);
        _client.SilenceAll();
        _client.Set(ClientFlags.DenyBlocking, on: true); // Nobody would ever wake it.
        server.Keyspace.IgnoresExpiry = true;
        server.Propagation.IsPaused = true;
        server.Keyspace.AccessFlags = LookupFlags.None;
    }

    /// <summary>Commands run.</summary>
    public long CommandCount { get; private set; }

    /// <summary>Finds the commands of a batch and asks for the memory of their keys.</summary>
    public void LookAhead(RequestBatch batch)
    {
        while (batch.LookedAhead < batch.Count)
        {
            int start = batch.LookedAhead;
            batch.Next = start;
            CommandExecutor.LookAhead(_server, _client, batch, isLogged: true);
            CommandExecutor.PrefetchEntries(_client, batch);
        }
    }

    /// <summary>Runs a command.</summary>
    /// <param name="batch">Looked ahead over.</param>
    /// <param name="index">Which request of it.</param>
    /// <param name="error">Why it cannot be run; replies with an error are no reason, and are told in the log.</param>
    /// <exception cref="OutOfMemoryException">The heap cannot grow.</exception>
    public bool TryRun(RequestBatch batch, int index, out string error)
    {
        ref Request request = ref batch[index];
        if (request.Command is not Command command || command.Subcommands is not null)
        {
            error = $"Unknown command '{Encoding.Latin1.GetString(batch.ArgumentsOf(index)[0])}'";
            return false;
        }

        // What a server writes changes data, or says where. Whatever else somebody has put into the file is not run: it
        // could end this server, or change how it is configured.
        if ((command.Flags & (CommandFlags.Write | CommandFlags.MayReplicate)) == 0 && command.DisplayName != "select")
        {
            error = $"Command '{command.DisplayName}', which changes no data,";
            return false;
        }

        if (!command.AcceptsArity(request.ArgumentCount))
        {
            error = $"Wrong number of arguments for '{command.DisplayName}'";
            return false;
        }

        long errorsBefore = _client.Reply.ErrorCount;
        _context.Begin(_client, batch, index, command, in request);
        command.Handler(_context);
        CommandCount++;
        if (_client.Reply.ErrorCount != errorsBefore && !_hasWarned)
        {
            _hasWarned = true;
            Log.AofReplyIsError(_server.Log, command.DisplayName, _client.Reply.LastErrorCode);
        }

        error = "";
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _server.Keyspace.IgnoresExpiry = false;
        _server.Propagation.IsPaused = false;
        _client.Reply.Dispose();
    }
}
