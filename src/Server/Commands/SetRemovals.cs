using KvServer.Server.Persistence;
using KvServer.Storage;

namespace KvServer.Server.Commands;

/// <summary>Passes on members that were chosen by chance and removed: as SREM, so that the same ones go elsewhere.</summary>
/// <remarks>Does nothing while nobody listens. Requests of at most 1024 members, so that none grows without bound.</remarks>
internal ref struct SetRemovals(CommandContext ctx, Key key, long count)
{
    private const int MembersPerRequest = 1024;

    private readonly CommandContext _ctx = ctx;
    private readonly Key _key = key;
    private PropagationLog? _log;
    private long _left = count;
    private int _leftInRequest;

    /// <summary>Adds a member, before it is removed; as many as announced must follow.</summary>
    public void Add(SetMember member)
    {
        if (_leftInRequest == 0)
        {
            _leftInRequest = (int)Math.Min(_left, MembersPerRequest);
            _log = _ctx.BeginPropagation(2 + _leftInRequest);
            _log?.Argument("SREM"u8);
            _log?.Argument(_key.Bytes);
        }

        _leftInRequest--;
        _left--;
        if (_log is not null)
        {
            _log.Argument(member.AsText(stackalloc byte[IntegerText.MaxLength]));
        }
    }
}
