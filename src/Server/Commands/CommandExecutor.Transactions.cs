using System.Runtime.CompilerServices;
using KvServer.Resp;
using KvServer.Server.Acl;
using KvServer.Server.Clients;
using KvServer.Server.Persistence;

namespace KvServer.Server.Commands;

/// <content>EXEC: runs the commands a client has queued.</content>
internal sealed partial class CommandExecutor
{
    // What the reply's error count was when the last queued command's errors had been counted; EXEC itself made none.
    private long _errorsCounted;

    // Inside the call of EXEC, whose unit of the log this is; clients that wait for keys are served after it. The
    // commands were checked when they were queued, and only their users' rights are again.
    private void RunQueue(Client client)
    {
        RequestBatch requests = client.Transaction!.Requests;
        bool deniedBlocking = client.Is(ClientFlags.DenyBlocking);
        client.Set(ClientFlags.DenyBlocking, on: true);
        _server.Transactions.IsRunning = true;
        client.Reply.Array(requests.Count);
        try
        {
            RunQueued(client, requests);
        }
        finally
        {
            client.Set(ClientFlags.DenyBlocking, deniedBlocking);
            _server.Transactions.IsRunning = false;
        }
    }

    private void RunQueued(Client client, RequestBatch requests)
    {
        CallRun run = new() { StartedAt = _timing.Now };
        while (requests.Next < requests.Count)
        {
            if (requests.Next == requests.LookedAhead)
            {
                PrefetchQueued(client, requests);
            }

            int index = requests.Next++;
            Command command = Unsafe.As<Command>(requests[index].Command)!;
            if (command != run.Command || requests[index].ArgumentCount > _timing.RunArguments)
            {
                _timing.End(ref run, client, requests);
                run.Command = command;
            }

            long bytesBefore = client.Reply.TotalBytesWritten;
            RunQueued(client, requests, index, command);
            run.Calls++;
            run.LastIndex = index;
            if (_timing.EndsRun(command, requests[index].ArgumentCount, client.Reply.TotalBytesWritten - bytesBefore))
            {
                _timing.End(ref run, client, requests);
            }
        }

        _timing.End(ref run, client, requests);
    }

    // As Execute does with a command that has been let pass.
    private void RunQueued(Client client, RequestBatch requests, int index, Command command)
    {
        CommandContext ctx = _queuedContext;
        ReplyWriter reply = client.Reply;
        PropagationLog log = _server.Propagation;
        long errorsBefore = reply.ErrorCount;
        long bytesBefore = reply.TotalBytesWritten;
        if (log.IsOn)
        {
            log.BeginPart();
        }

        try
        {
            ctx.Begin(client, requests, index, command, in requests[index]);
            if (client.Is(ClientFlags.Restricted) && !AdmitsQueued(ctx, command))
            {
                return;
            }

            command.Handler(ctx);
            client.CommandCount++;
            NoteKeys(ctx, command, reply.TotalBytesWritten - bytesBefore);
            _server.Statistics.CommandsProcessed++;
            _server.Statistics.Dirty += ctx.Changes;
            if (log.IsOn)
            {
                ctx.PropagateChanges();
            }

            if (client.Is(ClientFlags.Tracking))
            {
                _server.Tracking.Remember(ctx);
            }
        }
        catch (OutOfMemoryException)
        {
            FailForMemory(ctx, client, bytesBefore);
        }
        catch (Exception fault) // The others of the transaction are run all the same, as after any error.
        {
            FailByFault(ctx, client, command, fault);
        }

        if (reply.ErrorCount != errorsBefore)
        {
            CountErrors(client, command, ran: true);
            _errorsCounted = reply.ErrorCount;
        }

        if (_monitors.Count > 0)
        {
            _monitors.Show(client, command, ctx.Args);
        }
    }

    // The rights of the user may be others than when the call was queued.
    private bool AdmitsQueued(CommandContext ctx, Command command)
    {
        AclDenial denial = _server.Acl.Check(ctx, command, inTransaction: true);
        if (denial == AclDenial.None)
        {
            return true;
        }

        ctx.Reply.Error(CommandError.NoPermissionAnyMore(denial));
        CountErrors(ctx.Client, command, ran: false);
        _errorsCounted = ctx.Reply.ErrorCount;
        return false;
    }

    // Asks for the entries of the next wave; the keys were hashed when the commands were queued.
    private static void PrefetchQueued(Client client, RequestBatch requests)
    {
        int end = Math.Min(requests.Count, requests.Next + WaveLength);
        for (int i = requests.Next; i < end; i++)
        {
            if (requests[i].FirstKey > 0)
            {
                client.Database.PrefetchBucket(requests[i].KeyHash);
            }
        }

        requests.LookedAhead = end;
        PrefetchEntries(client, requests);
    }
}
