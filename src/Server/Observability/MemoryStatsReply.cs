using System.Globalization;
using System.Text;
using KvServer.Resp;
using KvServer.Storage;

namespace KvServer.Server.Observability;

/// <summary>MEMORY STATS: the fields of the reference server in their order, with the truth about this one.</summary>
internal static class MemoryStatsReply
{
    /// <summary>Writes the reply. O(clients + databases).</summary>
    public static void Write(ReplyWriter reply, ServerState server)
    {
        (long used, long allocated, long active, long held, long resident, long peak, long overhead, long clients, long notCounted) =
            MemoryFigures.Take(server);
        long keys = 0;
        long dataset = used - overhead;
        long sinceStart = used - server.StartupHeapBytes;
        int count = 0;
        DeferredAggregate map = reply.BeginMap();
        Integer("peak.allocated", peak);
        Integer("total.allocated", used);
        Integer("startup.allocated", server.StartupHeapBytes);
        Integer("replication.backlog", 0);
        Integer("clients.slaves", 0);
        Integer("clients.normal", clients);
        Integer("cluster.links", 0);
        Integer("aof.buffer", notCounted);
        Integer("lua.caches", 0);
        Integer("functions.caches", 0);
        for (int i = 0; i < server.Keyspace.DatabaseCount; i++)
        {
            Database database = server.Keyspace[i];
            keys += database.Count;
            if (database.Count > 0)
            {
                WriteDatabase(reply, i, database);
                count++;
            }
        }

        Integer("overhead.total", overhead);
        Integer("keys.count", keys);
        Integer("keys.bytes-per-key", keys == 0 ? 0 : Math.Max(0, sinceStart) / keys);
        Integer("dataset.bytes", dataset);
        Share("dataset.percentage", dataset * 100.0, sinceStart);
        Share("peak.percentage", used * 100.0, peak);
        Integer("allocator.allocated", allocated);
        Integer("allocator.active", active);
        Integer("allocator.resident", held);
        Share("allocator-fragmentation.ratio", active, allocated);
        Integer("allocator-fragmentation.bytes", active - allocated);
        Share("allocator-rss.ratio", held, active);
        Integer("allocator-rss.bytes", held - active);
        Share("rss-overhead.ratio", resident, held);
        Integer("rss-overhead.bytes", resident - held);
        Share("fragmentation", resident, used);
        Integer("fragmentation.bytes", resident - used);
        reply.End(map, count);

        void Integer(string name, long value)
        {
            reply.BulkString(Encoding.ASCII.GetBytes(name));
            reply.Integer(value);
            count++;
        }

        void Share(string name, double part, long whole)
        {
            reply.BulkString(Encoding.ASCII.GetBytes(name));
            reply.Double(whole <= 0 ? 0 : part / whole);
            count++;
        }
    }

    private static void WriteDatabase(ReplyWriter reply, int index, Database database)
    {
        reply.BulkString(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"db.{index}")));
        reply.Map(3);
        reply.BulkString("overhead.hashtable.main"u8);
        reply.Integer(database.GetFigures().TableBytes);
        reply.BulkString("overhead.hashtable.expires"u8);
        reply.Integer(database.GetFigures(ofExpiries: true).TableBytes);
        reply.BulkString("overhead.hashtable.slot-to-keys"u8);
        reply.Integer(0);
    }
}
