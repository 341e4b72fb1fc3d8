using KvServer.Server.Commands;
using KvServer.Server.Config;

namespace KvServer.Server.Notifications;

/// <summary>The name of each event in keyspace notifications, and the class it belongs to.</summary>
internal static class KeyEventNames
{
    /// <summary>The name; empty for changes nobody is notified of.</summary>
    public static ReadOnlySpan<byte> Name(this KeyEvent keyEvent) => keyEvent switch
    {
        KeyEvent.Set => "set"u8,
        KeyEvent.SetRange => "setrange"u8,
        KeyEvent.Append => "append"u8,
        KeyEvent.IncrBy => "incrby"u8,
        KeyEvent.IncrByFloat => "incrbyfloat"u8,
        KeyEvent.SetBit => "setbit"u8,
        KeyEvent.PfAdd => "pfadd"u8,
        KeyEvent.Del => "del"u8,
        KeyEvent.Expire => "expire"u8,
        KeyEvent.Persist => "persist"u8,
        KeyEvent.RenameFrom => "rename_from"u8,
        KeyEvent.RenameTo => "rename_to"u8,
        KeyEvent.MoveFrom => "move_from"u8,
        KeyEvent.MoveTo => "move_to"u8,
        KeyEvent.CopyTo => "copy_to"u8,
        KeyEvent.Restore => "restore"u8,
        KeyEvent.SAdd => "sadd"u8,
        KeyEvent.SRem => "srem"u8,
        KeyEvent.SPop => "spop"u8,
        KeyEvent.SInterStore => "sinterstore"u8,
        KeyEvent.SUnionStore => "sunionstore"u8,
        KeyEvent.SDiffStore => "sdiffstore"u8,
        KeyEvent.HSet => "hset"u8,
        KeyEvent.HDel => "hdel"u8,
        KeyEvent.HIncrBy => "hincrby"u8,
        KeyEvent.HIncrByFloat => "hincrbyfloat"u8,
        KeyEvent.HExpire => "hexpire"u8,
        KeyEvent.HExpired => "hexpired"u8,
        KeyEvent.HPersist => "hpersist"u8,
        KeyEvent.LPush => "lpush"u8,
        KeyEvent.RPush => "rpush"u8,
        KeyEvent.LPop => "lpop"u8,
        KeyEvent.RPop => "rpop"u8,
        KeyEvent.LSet => "lset"u8,
        KeyEvent.LInsert => "linsert"u8,
        KeyEvent.LRem => "lrem"u8,
        KeyEvent.LTrim => "ltrim"u8,
        KeyEvent.SortStore => "sortstore"u8,
        KeyEvent.ZAdd => "zadd"u8,
        KeyEvent.ZIncr => "zincr"u8,
        KeyEvent.ZRem => "zrem"u8,
        KeyEvent.ZRemRangeByRank => "zremrangebyrank"u8,
        KeyEvent.ZRemRangeByScore => "zremrangebyscore"u8,
        KeyEvent.ZRemRangeByLex => "zremrangebylex"u8,
        KeyEvent.ZPopMin => "zpopmin"u8,
        KeyEvent.ZPopMax => "zpopmax"u8,
        KeyEvent.ZRangeStore => "zrangestore"u8,
        KeyEvent.ZUnionStore => "zunionstore"u8,
        KeyEvent.ZInterStore => "zinterstore"u8,
        KeyEvent.ZDiffStore => "zdiffstore"u8,
        KeyEvent.GeoSearchStore => "geosearchstore"u8,
        KeyEvent.GeoRadiusStore => "georadiusstore"u8,
        KeyEvent.XAdd => "xadd"u8,
        KeyEvent.XDel => "xdel"u8,
        KeyEvent.XTrim => "xtrim"u8,
        KeyEvent.XSetId => "xsetid"u8,
        KeyEvent.XGroupCreate => "xgroup-create"u8,
        KeyEvent.XGroupSetId => "xgroup-setid"u8,
        KeyEvent.XGroupDestroy => "xgroup-destroy"u8,
        KeyEvent.XGroupCreateConsumer => "xgroup-createconsumer"u8,
        KeyEvent.XGroupDelConsumer => "xgroup-delconsumer"u8,
        KeyEvent.Expired => "expired"u8,
        KeyEvent.Evicted => "evicted"u8,
        KeyEvent.New => "new"u8,
        KeyEvent.KeyMiss => "keymiss"u8,
        _ => [],
    };

    /// <summary>The class, as <c>notify-keyspace-events</c> selects them; None for changes nobody is notified of.</summary>
    public static KeyspaceEvents Class(this KeyEvent keyEvent) => keyEvent switch
    {
        KeyEvent.Set or KeyEvent.SetRange or KeyEvent.Append or KeyEvent.IncrBy or KeyEvent.IncrByFloat
            or KeyEvent.SetBit or KeyEvent.PfAdd => KeyspaceEvents.String,
        KeyEvent.Del or KeyEvent.Expire or KeyEvent.Persist or KeyEvent.RenameFrom or KeyEvent.RenameTo
            or KeyEvent.MoveFrom or KeyEvent.MoveTo or KeyEvent.CopyTo or KeyEvent.Restore => KeyspaceEvents.Generic,
        KeyEvent.SAdd or KeyEvent.SRem or KeyEvent.SPop or KeyEvent.SInterStore or KeyEvent.SUnionStore
            or KeyEvent.SDiffStore => KeyspaceEvents.Set,
        KeyEvent.HSet or KeyEvent.HDel or KeyEvent.HIncrBy or KeyEvent.HIncrByFloat or KeyEvent.HExpire
            or KeyEvent.HExpired or KeyEvent.HPersist => KeyspaceEvents.Hash,
        KeyEvent.LPush or KeyEvent.RPush or KeyEvent.LPop or KeyEvent.RPop or KeyEvent.LSet or KeyEvent.LInsert
            or KeyEvent.LRem or KeyEvent.LTrim or KeyEvent.SortStore => KeyspaceEvents.List,
        KeyEvent.ZAdd or KeyEvent.ZIncr or KeyEvent.ZRem or KeyEvent.ZRemRangeByRank
            or KeyEvent.ZRemRangeByScore or KeyEvent.ZRemRangeByLex or KeyEvent.ZPopMin or KeyEvent.ZPopMax
            or KeyEvent.ZRangeStore or KeyEvent.ZUnionStore or KeyEvent.ZInterStore or KeyEvent.ZDiffStore
            or KeyEvent.GeoSearchStore or KeyEvent.GeoRadiusStore => KeyspaceEvents.SortedSet,
        KeyEvent.XAdd or KeyEvent.XDel or KeyEvent.XTrim or KeyEvent.XSetId or KeyEvent.XGroupCreate
            or KeyEvent.XGroupSetId or KeyEvent.XGroupDestroy or KeyEvent.XGroupCreateConsumer
            or KeyEvent.XGroupDelConsumer => KeyspaceEvents.Stream,
        KeyEvent.Expired => KeyspaceEvents.Expired,
        KeyEvent.Evicted => KeyspaceEvents.Evicted,
        KeyEvent.New => KeyspaceEvents.New,
        KeyEvent.KeyMiss => KeyspaceEvents.KeyMiss,
        _ => KeyspaceEvents.None,
    };
}
