using System.Text;
using KvServer.Resp;

namespace KvServer.Server.Commands;

/// <summary>Writes a command the way COMMAND and COMMAND INFO show it.</summary>
internal static class CommandInfoReply
{
    private static readonly (CommandFlags Flag, string Name)[] FlagNames =
    [
        (CommandFlags.Write, "write"),
        (CommandFlags.ReadOnly, "readonly"),
        (CommandFlags.DenyOom, "denyoom"),
        (CommandFlags.Admin, "admin"),
        (CommandFlags.PubSub, "pubsub"),
        (CommandFlags.NoScript, "noscript"),
        (CommandFlags.Blocking, "blocking"),
        (CommandFlags.Loading, "loading"),
        (CommandFlags.Stale, "stale"),
        (CommandFlags.SkipMonitor, "skip_monitor"),
        (CommandFlags.SkipSlowLog, "skip_slowlog"),
        (CommandFlags.Asking, "asking"),
        (CommandFlags.Fast, "fast"),
        (CommandFlags.NoAuth, "no_auth"),
        (CommandFlags.NoMandatoryKeys, "no_mandatory_keys"),
        (CommandFlags.NoAsyncLoading, "no_async_loading"),
        (CommandFlags.NoMulti, "no_multi"),
        (CommandFlags.MovableKeys, "movablekeys"),
        (CommandFlags.AllowBusy, "allow_busy"),
    ];

    private static readonly (KeyAccess Access, string Name)[] AccessNames =
    [
        (KeyAccess.ReadWrite, "RW"),
        (KeyAccess.ReadOnly, "RO"),
        (KeyAccess.Overwrite, "OW"),
        (KeyAccess.Remove, "RM"),
        (KeyAccess.Access, "access"),
        (KeyAccess.Update, "update"),
        (KeyAccess.Insert, "insert"),
        (KeyAccess.Delete, "delete"),
        (KeyAccess.NotKey, "not_key"),
        (KeyAccess.Incomplete, "incomplete"),
        (KeyAccess.Variable, "variable_flags"),
    ];

    /// <summary>Writes one command with its subcommands.</summary>
    public static void Write(ReplyWriter reply, Command command)
    {
        (int first, int last, int step) = LegacyRange(command.Keys);
        reply.Array(10);
        Bulk(reply, command.DisplayName);
        reply.Integer(command.Declaration.Arity);
        WriteNames(reply, [.. FlagNames.Where(flag => command.Is(flag.Flag)).Select(flag => flag.Name)]);
        reply.Integer(first);
        reply.Integer(last);
        reply.Integer(step);
        WriteNames(reply, [.. AclCategories.Of(command).Select(category => "@" + category)]);
        WriteTips(reply, command.Declaration.Tips);
        reply.Set(command.Keys.Length);
        foreach (KeySpec spec in command.Keys)
        {
            WriteKeySpec(reply, spec.Declaration);
        }

        if (command.SubcommandList.Count == 0)
        {
            reply.Set(0);
            return;
        }

        reply.Array(command.SubcommandList.Count);
        foreach (Command subcommand in command.SubcommandList)
        {
            Write(reply, subcommand);
        }
    }

    /// <summary>Writes what a command does with a key: <c>RW access update</c> and so on, as simple strings.</summary>
    public static void WriteAccess(ReplyWriter reply, KeyAccess access) =>
        WriteNames(reply, [.. AccessNames.Where(name => (access & name.Access) != 0).Select(name => name.Name)]);

    /// <summary>The three numbers of old: the hull of the ranges whose place is fixed.</summary>
    private static (int First, int Last, int Step) LegacyRange(KeySpec[] keys)
    {
        int first = int.MaxValue;
        int last = 0;
        int step = 0;
        foreach (KeysAttribute spec in keys.Where(key => HasPlainRange(key.Declaration)).Select(key => key.Declaration))
        {
            if (step != 0 && step != spec.Step)
            {
                continue;
            }

            step = spec.Step;
            first = Math.Min(first, spec.First);
            int specLast = spec.Last >= 0 ? Math.Max(spec.Last, spec.First) : spec.Last;
            last = specLast < 0 || last < 0 ? Math.Min(specLast, last) : Math.Max(last, specLast);
        }

        return step == 0 ? (0, 0, 0) : (first, last, step);
    }

    private static bool HasPlainRange(KeysAttribute spec) =>
        spec.First > 0 && spec.Keyword.Length == 0 && spec.NumKeysAt == 0;

    private static void WriteKeySpec(ReplyWriter reply, KeysAttribute spec)
    {
        reply.Map(spec.Notes.Length > 0 ? 4 : 3);
        if (spec.Notes.Length > 0)
        {
            Bulk(reply, "notes");
            Bulk(reply, spec.Notes);
        }

        Bulk(reply, "flags");
        WriteAccess(reply, spec.Access);
        Bulk(reply, "begin_search");
        WriteBeginSearch(reply, spec);
        Bulk(reply, "find_keys");
        WriteFindKeys(reply, spec);
    }

    private static void WriteBeginSearch(ReplyWriter reply, KeysAttribute spec)
    {
        if (spec.Keyword.Length > 0)
        {
            WriteSpecHead(reply, "keyword", 2);
            Bulk(reply, "keyword");
            Bulk(reply, spec.Keyword);
            WriteNumber(reply, "startfrom", spec.StartFrom);
        }
        else if (spec.First > 0 || spec.NumKeysAt > 0)
        {
            WriteSpecHead(reply, "index", 1);
            WriteNumber(reply, "index", spec.NumKeysAt > 0 ? spec.NumKeysAt : spec.First);
        }
        else
        {
            WriteSpecHead(reply, "unknown", 0);
        }
    }

    private static void WriteFindKeys(ReplyWriter reply, KeysAttribute spec)
    {
        if (spec.NumKeysAt > 0)
        {
            WriteSpecHead(reply, "keynum", 3);
            WriteNumber(reply, "keynumidx", 0);
            WriteNumber(reply, "firstkey", 1);
            WriteNumber(reply, "keystep", spec.Step);
        }
        else if (spec.First > 0 || spec.Keyword.Length > 0)
        {
            WriteSpecHead(reply, "range", 3);
            WriteNumber(reply, "lastkey", spec.Last > 0 ? spec.Last - spec.First : spec.Last);
            WriteNumber(reply, "keystep", spec.Step);
            WriteNumber(reply, "limit", spec.Limit);
        }
        else
        {
            WriteSpecHead(reply, "unknown", 0);
        }
    }

    private static void WriteSpecHead(ReplyWriter reply, string type, int fieldCount)
    {
        reply.Map(2);
        Bulk(reply, "type");
        Bulk(reply, type);
        Bulk(reply, "spec");
        reply.Map(fieldCount);
    }

    private static void WriteNumber(ReplyWriter reply, string name, int value)
    {
        Bulk(reply, name);
        reply.Integer(value);
    }

    private static void WriteNames(ReplyWriter reply, string[] names)
    {
        reply.Set(names.Length);
        foreach (string name in names)
        {
            reply.SimpleString(Encoding.ASCII.GetBytes(name));
        }
    }

    private static void WriteTips(ReplyWriter reply, string tips)
    {
        string[] words = tips.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        reply.Set(words.Length);
        foreach (string word in words)
        {
            Bulk(reply, word);
        }
    }

    private static void Bulk(ReplyWriter reply, string text) => reply.BulkString(Encoding.UTF8.GetBytes(text));
}
