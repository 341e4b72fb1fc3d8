using System.Text;
using KvServer.Resp;

namespace KvServer.Server.Commands;

/// <summary>DEBUG PROTOCOL: a sample of each reply type, for the tests of client libraries.</summary>
internal static class DebugProtocol
{
    internal static void Reply(CommandContext ctx)
    {
        ReplyWriter reply = ctx.Reply;
        switch (Encoding.Latin1.GetString(ctx.Args[2]).ToLowerInvariant())
        {
            case "string": reply.BulkString("Hello World"u8); break;
            case "integer": reply.Integer(12345); break;
            case "double": reply.Double(3.141); break;
            case "bignum": reply.BigNumber("1234567999999999999999999999999999999"u8); break;
            case "null": reply.Null(); break;
            case "array": reply.Array(3); Numbers(reply); break;
            case "set": reply.Set(3); Numbers(reply); break;
            case "map": Map(reply); break;
            case "attrib": Attribute(reply); break;
            case "push": Push(reply); break;
            case "verbatim": reply.Verbatim("This is a verbatim\nstring"u8, "txt"u8); break;
            case "true": reply.Boolean(true); break;
            case "false": reply.Boolean(false); break;
            default:
                reply.Error(
                    "ERR Wrong protocol type name. Please use one of the following: string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false"u8);
                break;
        }
    }

    private static void Numbers(ReplyWriter reply)
    {
        for (int i = 0; i < 3; i++)
        {
            reply.Integer(i);
        }
    }

    private static void Map(ReplyWriter reply)
    {
        reply.Map(3);
        for (int i = 0; i < 3; i++)
        {
            reply.Integer(i);
            reply.Boolean(i == 1);
        }
    }

    private static void Attribute(ReplyWriter reply)
    {
        if (reply.Protocol >= 3)
        {
            reply.Attribute(1);
            reply.BulkString("key-popularity"u8);
            reply.Array(2);
            reply.BulkString("key:123"u8);
            reply.Integer(90);
        }

        reply.BulkString("Some real reply following the attribute"u8);
    }

    private static void Push(ReplyWriter reply)
    {
        if (reply.Protocol < 3)
        {
            reply.Error("ERR RESP2 is not supported by this command"u8);
            return;
        }

        reply.Push(2);
        reply.BulkString("server-cpu-usage"u8);
        reply.Integer(42);
    }
}
